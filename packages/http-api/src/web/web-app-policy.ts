export const POLICY_REPORTS_PATH = '/api/v1/csp-reports';

/**
 * What the web app may load and run: what this server gives it, and nothing inline. `blob:` are previews that the
 * app made itself from what it was given; WebAssembly is the search for chunk boundaries.
 */
export const WEB_APP_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "frame-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  `report-uri ${POLICY_REPORTS_PATH}`,
  'report-to csp',
].join('; ');

/** The header that says where `report-to csp` is. */
export const WEB_APP_REPORTING = `csp="${POLICY_REPORTS_PATH}"`;
