import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from '../api/query-client.ts';
import { onSignedOut } from '../api/session.ts';
import { router } from '../routes/router.tsx';
import { dismissAllToasts } from '../ui/toast-store.ts';
import { Toasts } from '../ui/toasts.tsx';
import { TooltipProvider } from '../ui/tooltip.tsx';
import { registerServiceWorker } from './register-service-worker.ts';

/** What the first screen needs is waited for this long before something stands in for it. */
const PATIENCE_MS = 300;

/**
 * Puts the app on the page: at once as what it is to show, where that is soon there. What stood in for it would be drawn for
 * nothing, and stay for as long as React thinks that people need to see it.
 * @param answered resolves when it is known who is signed in
 */
export async function startApp(answered: Promise<void>): Promise<void> {
  const place = document.getElementById('app');
  if (place === null) throw new Error('index.html has no element "app"');
  onSignedOut(dismissAllToasts);
  await Promise.race([
    Promise.allSettled([answered, router.load()]),
    new Promise((resolve) => setTimeout(resolve, PATIENCE_MS)),
  ]);
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <TooltipProvider>
          <RouterProvider router={router} />
          <Toasts />
        </TooltipProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
  registerServiceWorker();
}
