import type { NoticeKind } from '@cairn/planner';
import type { ExecuteDeps } from './deps.ts';

/**
 * Leaves a line for the user about something that was not done as they did it.
 * @param from path as the user knows it
 * @param to path where it is now
 */
export function addNotice(
  { trees, environment }: Pick<ExecuteDeps, 'trees' | 'environment'>,
  kind: NoticeKind,
  from: string,
  to: string,
): void {
  trees.addNotice({ at: environment.clock.now(), kind, path: to, text: TEXTS[kind](from, to) });
}

/** What happened, and what to do. */
const TEXTS: Record<NoticeKind, (from: string, to: string) => string> = {
  'conflict-copy': (from, to) =>
    `"${from}" was changed here and elsewhere. What reached the server first has the name; what was here is now "${to}". Compare them with "cairn conflicts" and keep what you want.`,
  'case-conflict': (from, to) =>
    `"${from}" differs from another name only by case or Unicode form. It is now "${to}"; rename one of them if you like.`,
  'type-conflict': (from, to) =>
    `"${from}" is a file in one place and a folder in another. The folder has the name; the file is now "${to}". Rename one of them if you like.`,
  'last-write-wins': (from) =>
    `"${from}" was changed here and elsewhere. In this folder the last write wins: what was here is current now. The other content is in "cairn versions" and comes back with "cairn revert".`,
  'move-overruled': (from, to) =>
    `"${from}" was moved here, but another move had reached the server before. It is now "${to}"; move it again if you like.`,
  'move-refused': (from, to) =>
    `"${from}" was moved here, but with a move that had reached the server before, the folder would lie inside itself. It is now "${to}"; move it again if you like.`,
  rescued: (from, to) => `"${from}" was kept as "${to}".`,
};
