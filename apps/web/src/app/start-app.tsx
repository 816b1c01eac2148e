import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from '../api/query-client.ts';
import { onSignedOut, startSession } from '../api/session.ts';
import { router } from '../routes/router.tsx';
import { dismissAllToasts } from '../ui/toast-store.ts';
import { Toasts } from '../ui/toasts.tsx';
import { TooltipProvider } from '../ui/tooltip.tsx';
import { registerServiceWorker } from './register-service-worker.ts';

/** Puts the app on the page. */
export function startApp(): void {
  const place = document.getElementById('app');
  if (place === null) throw new Error('index.html has no element "app"');
  onSignedOut(dismissAllToasts);
  void startSession();
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
