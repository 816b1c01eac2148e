import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { CrashPage, NotFoundPage } from '../app/failure-pages.tsx';
import { Root } from '../app/root.tsx';

const rootRoute = createRootRoute({
  component: Root,
  notFoundComponent: NotFoundPage,
  errorComponent: CrashPage,
});

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/files/$', params: { _splat: '' }, replace: true });
  },
});

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What a Files address says beside its folder; each of them closes by going back. */
export interface FilesSearch {
  /** What is searched for in the whole space. */
  readonly q?: string;
  /** Entry whose preview is open. */
  readonly preview?: string;
  /** Entry whose details and versions are open. */
  readonly details?: string;
}

const filesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/files/$',
  validateSearch: (search: Record<string, unknown>): FilesSearch => {
    const q = textOrNothing(typeof search['q'] === 'number' ? String(search['q']) : search['q']);
    const preview = textOrNothing(search['preview']);
    const details = textOrNothing(search['details']);
    return {
      ...(q === undefined ? {} : { q }),
      ...(preview === undefined ? {} : { preview }),
      ...(details === undefined ? {} : { details }),
    };
  },
  component: lazyRouteComponent(() => import('../features/files/files-page.tsx'), 'FilesPage'),
});

const activityRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/activity',
  component: lazyRouteComponent(() => import('../features/activity/activity-page.tsx'), 'ActivityPage'),
});

const trashRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/trash',
  component: lazyRouteComponent(() => import('../features/trash/trash-page.tsx'), 'TrashPage'),
});

const conflictsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/conflicts',
  component: lazyRouteComponent(() => import('../features/conflicts/conflicts-page.tsx'), 'ConflictsPage'),
});

const healthRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/status',
  component: lazyRouteComponent(() => import('../features/health/health-page.tsx'), 'HealthPage'),
});

/** The instant a folder is looked at as of, in milliseconds since 1970; now without it. */
export interface RewindSearch {
  readonly at?: number;
}

const rewindRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/rewind/$entryId',
  validateSearch: (search: Record<string, unknown>): RewindSearch => {
    const at = Number(search['at'] ?? Number.NaN);
    return Number.isSafeInteger(at) && at >= 0 ? { at } : {};
  },
  component: lazyRouteComponent(() => import('../features/rewind/rewind-page.tsx'), 'RewindPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('../features/settings/settings-page.tsx'), 'SettingsPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    homeRoute,
    filesRoute,
    activityRoute,
    trashRoute,
    conflictsRoute,
    healthRoute,
    rewindRoute,
    settingsRoute,
  ]),
  defaultPreload: 'intent',
  defaultErrorComponent: CrashPage,
  // Pages keep their own scroll places; the document never scrolls.
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
