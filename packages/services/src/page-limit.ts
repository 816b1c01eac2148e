/** A page's size between 1 and `maximum`, whatever was asked for. */
export function clampLimit(limit: number, maximum: number): number {
  if (!Number.isFinite(limit)) return maximum;
  return Math.min(maximum, Math.max(1, Math.floor(limit)));
}
