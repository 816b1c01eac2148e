import type { SyncState, SyncStatus } from '@cairn/sync-engine';
import type { CliContext } from '../context.ts';
import { paint } from '../context.ts';
import { showInstant, showMoment, showName, showText } from '../output/text.ts';

const STATE_TEXTS: Record<SyncState, string> = {
  starting: 'starting',
  syncing: 'syncing',
  'in-sync': 'in sync',
  waiting: 'in sync but for what is listed below',
  held: 'held: many deletes wait for your word',
  offline: 'offline',
  paused: 'paused',
  stopped: 'stopped',
};

const REASON_TEXTS: Record<string, string> = {
  ignored: 'ignored by .cairnignore',
  'not-selected': 'its place is not selected for this device',
  'special-file': 'a pipe, socket or device file',
  'name-not-unicode': 'name is not valid UTF-8',
  'bad-name': 'name cannot be used in a space',
  'other-filesystem': 'another filesystem is mounted there',
  'too-deep': 'too many folders deep',
  unreadable: 'cannot be read',
};

/** One short line: what the state is now. */
export function describeState(status: SyncStatus): string {
  const { pending } = status;
  const parts = [STATE_TEXTS[status.state]];
  if (status.state === 'syncing') {
    if (pending.inspect > 0) parts.push(`${count(pending.inspect, 'file')} to read`);
    if (pending.up > 0) parts.push(`${count(pending.up, 'change')} to send`);
    if (pending.down > 0) parts.push(`${count(pending.down, 'change')} to apply`);
    if (status.transfers.length > 0) parts.push(`transferring ${status.transfers.map(showName).join(', ')}`);
  }
  if (status.state === 'offline' && status.trouble !== null) parts.push(showText(status.trouble.message));
  if (status.state === 'in-sync' || status.state === 'waiting') {
    parts.push(`${count(status.files, 'file')} in ${count(status.folders, 'folder')}`);
    if (status.connection !== 'live')
      parts.push(status.connection === 'polling' ? 'asking the server now and then' : 'offline');
  }
  return parts.join(' · ');
}

/** What was known when the daemon last ran; says nothing about what happened since. */
function describeLastKnown(status: SyncStatus): string[] {
  const { lastInSyncAt, files, folders, differing } = status;
  const at = lastInSyncAt === null ? 'never in sync' : `last in sync ${showInstant(lastInSyncAt)}`;
  const lines = [
    `  ${at} · ${count(files, 'file')} in ${count(folders, 'folder')}; changes since then are not known`,
  ];
  if (differing > 0) lines.push(`  ${count(differing, 'item')} had still to be synced`);
  return lines;
}

/** The whole picture of one folder, in lines for a terminal. */
export function describeStatus(
  context: CliContext,
  folder: string,
  { running, status }: { readonly running: boolean; readonly status: SyncStatus | null },
): string[] {
  const title = paint(context, 'bold', showName(folder));
  if (status === null) return [`${title}: not running. Start it with "cairn sync start".`];
  if (!running)
    return [`${title}: not running. Start it with "cairn sync start".`, ...describeLastKnown(status)];
  const good = status.state === 'in-sync';
  const lines = [`${title}: ${paint(context, good ? 'green' : 'blue', describeState(status))}`];
  if (status.trouble !== null && status.state !== 'offline')
    lines.push(`  trouble: ${showText(status.trouble.message)}`);
  if (status.held !== null) {
    const { count: total, direction, paths } = status.held;
    const where =
      direction === 'up'
        ? 'removed here; they are still on the server'
        : 'removed on the server; they are still here';
    lines.push(`  ${total} of ${status.held.total} items were ${where}. For instance:`);
    for (const path of paths.slice(0, 5)) lines.push(`    ${showName(path)}`);
    lines.push(
      '  "cairn sync confirm" deletes them on the other side too, "cairn sync reject" brings them back.',
    );
  }
  for (const { path, receivedBytes, sizeBytes } of status.receivingAhead)
    lines.push(
      `  receiving ahead: ${showName(path)}, ${showMib(receivedBytes)} of ${showMib(sizeBytes)} MiB; it is here once the other device has sent it all`,
    );
  for (const problem of status.problems.slice(0, 20)) {
    lines.push(
      `  ${showName(problem.path)}: ${showText(problem.message)} [${problem.code}, ${count(problem.attempts, 'attempt')}, next ${showMoment(problem.nextAttemptAt)}]`,
    );
  }
  for (const issue of status.issues.slice(0, 20))
    lines.push(`  ${showName(issue.path)}: ${issue.text} [${issue.code}]`);
  if (status.watch.mode === 'polling')
    lines.push(
      `  changes here are not reported: ${showText(status.watch.reason ?? '')}. The folder is scanned every ${Math.ceil(status.watch.fullScanMs / 1000)} s instead.`,
    );
  const out = status.selection.filter(({ selected }) => !selected);
  if (out.length > 0) lines.push(`  holds a part of the space only; see "cairn sync select --list"`);
  const left = status.unsynced.filter(({ reason }) => reason !== 'ignored');
  for (const { path, reason } of left.slice(0, 20))
    lines.push(`  ${showName(path)}: not synced, ${REASON_TEXTS[reason] ?? reason}`);
  for (const notice of status.notices.slice(0, 5))
    lines.push(`  ${showInstant(notice.at)}  ${showText(notice.text)}`);
  return lines;
}

function showMib(bytes: number): string {
  return Math.floor(bytes / 1024 ** 2).toLocaleString('en');
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
