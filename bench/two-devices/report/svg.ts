/** Colours for light and dark surroundings; what an image shows follows whoever looks at it. */
const STYLE = `
  .paper { fill: #ffffff; }
  text { fill: #1f2328; font: 12px system-ui, sans-serif; }
  .title { font-weight: 600; font-size: 13px; }
  .faint { fill: #59636e; }
  .line { stroke: #d1d9e0; stroke-width: 1; }
  .mark { stroke: #1f2328; stroke-width: 1.5; }
  .own { fill: #0969da; }
  .other { fill: #8c959f; }
  .floor { fill: #c8d1da; }
  .good { fill: #1a7f37; }
  .bad { fill: #cf222e; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; }
    text { fill: #f0f6fc; }
    .faint { fill: #9198a1; }
    .line { stroke: #3d444d; }
    .mark { stroke: #f0f6fc; }
    .own { fill: #4493f8; }
    .other { fill: #656c76; }
    .floor { fill: #3d444d; }
    .good { fill: #3fb950; }
    .bad { fill: #f85149; }
  }`;

export type Tone = 'own' | 'other' | 'floor' | 'good' | 'bad';

/** Pictures are put together from these; all lengths are in pixels. */
export function text(
  x: number,
  y: number,
  content: string,
  options: { kind?: 'title' | 'faint'; anchor?: 'start' | 'middle' | 'end' } = {},
): string {
  const { kind, anchor = 'start' } = options;
  const attributes = kind === undefined ? '' : ` class="${kind}"`;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${attributes}>${escapeText(content)}</text>`;
}

export function bar(x: number, y: number, width: number, height: number, tone: Tone): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(1, width))}" height="${round(height)}" rx="2" class="${tone}"/>`;
}

export function dot(x: number, y: number, radius: number, tone: Tone, opacity = 1): string {
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" class="${tone}" fill-opacity="${opacity}"/>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: 'line' | 'mark'): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`;
}

/**
 * A whole picture.
 * @param description what is to be seen, for whoever does not see it
 */
export function picture(
  width: number,
  height: number,
  description: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img">
<title>${escapeText(description)}</title>
<style>${STYLE}
</style>
<rect class="paper" width="100%" height="100%"/>
${parts.join('\n')}
</svg>
`;
}

/** From a range of values, both above 0, to one of pixels. */
export function logScale(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = Math.log(to / from) || 1;
  return (value) => start + (Math.log(Math.min(to, Math.max(from, value)) / from) / span) * (end - start);
}

/** The powers of ten from below the smallest value to above the largest. */
export function decades(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [0.1, 1, 10];
  const first = Math.floor(Math.log10(Math.min(...positive)));
  const last = Math.ceil(Math.log10(Math.max(...positive)));
  return Array.from({ length: Math.max(2, last - first + 1) }, (_value, index) =>
    Number(`1e${first + index}`),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
