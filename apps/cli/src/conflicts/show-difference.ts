import { structuredPatch } from 'diff';
import { showText } from '../output/text.ts';

/** Longest difference that is printed; it says how to see the rest. */
const MAX_LINES = 200;
/** Beyond so many changed lines, or so long, the two are just different. */
const LIMITS = { maxEditLength: 4000, timeout: 2000 } as const;

/**
 * What differs between two texts, as lines that begin with ` `, `-` (only theirs), `+` (only mine) or `@@`, safe to
 * print; `null` when that would be everything.
 */
export function describeDifference(theirs: string, mine: string): string[] | null {
  if (theirs === mine) return [];
  const patch = structuredPatch('theirs', 'mine', theirs, mine, '', '', { context: 3, ...LIMITS });
  if (patch === undefined) return null;
  const lines = patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: changed }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...changed.map(showLine),
  ]);
  if (lines.length <= MAX_LINES) return lines;
  return [
    ...lines.slice(0, MAX_LINES),
    `… ${lines.length - MAX_LINES} more lines; see all with --out FOLDER`,
  ];
}

function showLine(line: string): string {
  return line.split('\t').map(showText).join('    ');
}
