import type { Activity } from '@cairn/sync-engine';
import type { Command } from 'commander';
import { type CliContext, paint, print, remark } from '../context.ts';
import { showMoment, showName, showText } from '../output/text.ts';
import { homeFolder } from '../settings.ts';
import { chooseLinks, requireLinkOf } from '../sync/chosen-links.ts';

const DEFAULT_LINES = 50;

/** sync log [PATH] */
export function registerSyncLog(sync: Command, context: CliContext): void {
  sync
    .command('log')
    .description('what was done, when, and how it ended; also while no daemon runs')
    .argument('[path]', 'only about this path and what is below it')
    .option('-f, --follow', 'go on printing until Ctrl-C')
    .option('-n, --lines <count>', 'how many lines from before', String(DEFAULT_LINES))
    .option('--json', 'print JSON, one object a line')
    .action((path: string | undefined, options: { follow?: boolean; lines: string; json?: boolean }) =>
      showLog(context, path, options),
    );
}

async function showLog(
  context: CliContext,
  path: string | undefined,
  options: { follow?: boolean; lines: string; json?: boolean },
): Promise<void> {
  const { activityLogPath, followActivities, readActivities } = await import('../sync/activity-log.ts');
  const home = homeFolder(context);
  const chosen =
    path === undefined
      ? (await chooseLinks(context, undefined)).map((link) => ({ link, inside: '' }))
      : [await requireLinkOf(context, path)];
  const limit = Math.max(0, Math.min(1_000_000, Number.parseInt(options.lines, 10) || 0));
  const show = (folder: string, activity: Activity) => {
    if (options.json) print(context, JSON.stringify({ folder, ...activity }));
    else print(context, describeActivity(context, activity));
  };
  const logs = chosen.map(({ link, inside }) => ({ link, inside, file: activityLogPath(home, link) }));
  // Following begins first, so that nothing falls in between.
  const followers = options.follow
    ? logs.map(({ link, inside, file }) => ({ link, news: followActivities(file, inside, context.signal) }))
    : [];
  const started = followers.map(({ link, news }) => ({ link, news, first: news.next() }));
  let printed = 0;
  for (const { link, inside, file } of logs) {
    if (logs.length > 1 && !options.json) print(context, paint(context, 'bold', showName(link.folder)));
    for (const activity of readActivities(file, inside, limit)) {
      show(link.folder, activity);
      printed++;
    }
  }
  if (printed === 0 && !options.follow) remark(context, 'Nothing was logged yet.');
  await Promise.all(
    started.map(async ({ link, news, first }) => {
      for (let next = await first; !next.done; next = await news.next()) show(link.folder, next.value);
    }),
  );
}

function describeActivity(context: CliContext, activity: Activity): string {
  const { at, operation, path, result, message, nextAttemptAt } = activity;
  const failed = result === 'failed';
  const parts = [showMoment(at), paint(context, failed ? 'red' : 'green', operation)];
  if (path !== '') parts.push(showName(path));
  if (failed) parts.push('failed:');
  if (message !== undefined) parts.push(showText(message));
  if (nextAttemptAt !== undefined) parts.push(`(next attempt ${showMoment(nextAttemptAt)})`);
  return parts.join('  ');
}
