/** Lets the app start without a network, and be installed. Only what was built has one. */
export function registerServiceWorker(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  window.addEventListener('load', () => {
    // Without it the app works, only not offline.
    navigator.serviceWorker.register('/service-worker.js').catch(() => undefined);
  });
  if (document.readyState === 'complete') {
    navigator.serviceWorker.register('/service-worker.js').catch(() => undefined);
  }
}
