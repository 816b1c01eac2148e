export { createHttpApi } from './create-http-api.ts';
export type { RouteAccess } from './foundation/authentication.ts';
export { createMetrics, type Metrics, type MetricsSources } from './foundation/metrics.ts';
export { listRoutes, type RegisteredRoute } from './foundation/route-list.ts';
export {
  DEFAULT_LIMITS,
  type Dependency,
  type HttpApiConfig,
  type HttpApiLimits,
  type HttpApiOptions,
} from './http-api-options.ts';
