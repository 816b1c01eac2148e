import type { Client } from '@cairn/client';
import { CairnError } from '@cairn/model';
import type { Retention, RetentionRequest, RetentionResponse } from '@cairn/protocol';
import type { Command } from 'commander';
import { askToGoOn } from '../ask-to-go-on.ts';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { count, showSize } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';

/** Whose settings a command is about. */
interface Scope {
  /** `cairn retention` */
  readonly command: string;
  /** Who says so, after "This is". */
  readonly own: string;
  readonly byDefault: string;
  get(client: Client, signal: AbortSignal): Promise<RetentionResponse>;
  set(client: Client, request: RetentionRequest, signal: AbortSignal): Promise<RetentionResponse>;
}

const SPACE: Scope = {
  command: 'cairn retention',
  own: 'set by you for your space',
  byDefault: "the server's default",
  get: (client, signal) => client.retention.get(signal),
  set: (client, request, signal) => client.retention.set(request, signal),
};

const SERVER: Scope = {
  command: 'cairn admin retention',
  own: 'set for this server, for all spaces that say nothing else',
  byDefault: 'built in, for all spaces that say nothing else',
  get: (client, signal) => client.admin.retention(signal),
  set: (client, request, signal) => client.admin.setRetention(request, signal),
};

interface SetFlags {
  readonly versionsAllDays?: string;
  readonly dailyForDays?: string;
  readonly trashDays?: string;
  readonly keepAll?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** retention show, set, reset */
export const registerRetention: RegisterCommand = (program, context) => register(program, context, SPACE);

/** admin retention show, set, reset */
export function registerAdminRetention(admin: Command, context: CliContext): void {
  register(admin, context, SERVER);
}

function register(parent: Command, context: CliContext, scope: Scope): void {
  const { command } = scope;
  const retention = parent
    .command('retention')
    .description('how long old versions and the trash are kept')
    .addHelpText(
      'after',
      `\nExamples:\n  ${command}\n  ${command} set --versions-all-days 60 --trash-days 30\n  ${command} reset`,
    );
  retention
    .command('show', { isDefault: true })
    .description('tell what holds, and who says so')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  ${command}`)
    .action((options: { json?: boolean }) =>
      withClient(context, async (client) =>
        show(context, scope, await scope.get(client, context.signal), options.json === true),
      ),
    );
  retention
    .command('set')
    .description('change it; what is not named stays as it is')
    .option('--versions-all-days <days>', 'keep all versions for so long, then the last one of each day')
    .option('--daily-for-days <days>', 'keep the last one of each day for so long, then of each week')
    .option('--trash-days <days>', 'keep what was deleted for so long')
    .option('--keep-all', 'keep all versions and the trash for ever, but for what is named beside this')
    .option('--yes', 'do not ask, although old versions or deleted files would go')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `\nExamples:\n  ${command} set --versions-all-days 60\n  ${command} set --keep-all --trash-days 90`,
    )
    .action((options: SetFlags) => change(context, scope, options, (now) => applyFlags(now, options)));
  retention
    .command('reset')
    .description('take back what was set')
    .option('--yes', 'do not ask, although old versions or deleted files would go')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  ${command} reset`)
    .action((options: SetFlags) => change(context, scope, options, () => null));
}

function parseDays(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= 36_500) return days;
  throw new CairnError('usage', `"${text}" (${flag}) is not a number of days from 1 to 36500`);
}

/** What is set, with the changes that the command line names. @throws CairnError `usage` */
export function applyFlags(now: Retention, flags: SetFlags): Retention {
  const allDays = parseDays(flags.versionsAllDays, '--versions-all-days');
  const dailyDays = parseDays(flags.dailyForDays, '--daily-for-days');
  const trashDays = parseDays(flags.trashDays, '--trash-days');
  if (flags.keepAll !== true && (allDays ?? dailyDays ?? trashDays) === undefined) {
    throw new CairnError(
      'usage',
      'say what to change: --versions-all-days, --daily-for-days, --trash-days or --keep-all',
    );
  }
  const base: Retention =
    flags.keepAll === true ? { versions: { keep: 'all' }, trash: { keep: 'all' } } : now;
  return {
    versions: applyToVersions(base.versions, allDays, dailyDays),
    trash: trashDays === undefined ? base.trash : { keep: 'days', days: trashDays },
  };
}

function applyToVersions(
  base: Retention['versions'],
  allDays: number | undefined,
  dailyDays: number | undefined,
): Retention['versions'] {
  if (allDays === undefined && dailyDays === undefined) return base;
  const all = allDays ?? (base.keep === 'thinned' ? base.allDays : undefined);
  if (all === undefined)
    throw new CairnError('usage', 'all versions are kept now; say with --versions-all-days for how long');
  const daily = dailyDays ?? Math.max(all, base.keep === 'thinned' ? base.dailyDays : all);
  if (daily < all) {
    throw new CairnError(
      'usage',
      `all versions are kept for ${all} days, so --daily-for-days must not be less than that`,
    );
  }
  return { keep: 'thinned', allDays: all, dailyDays: daily };
}

async function change(
  context: CliContext,
  scope: Scope,
  { yes = false, json = false }: SetFlags,
  choose: (now: Retention) => Retention | null,
): Promise<void> {
  const { signal } = context;
  await withClient(context, async (client) => {
    const retention = choose((await scope.get(client, signal)).effective);
    if (!yes) {
      const { nextCleanUp } = await scope.set(client, { retention, dryRun: true }, signal);
      const loss = nextCleanUp === undefined ? null : describeLoss(nextCleanUp);
      if (loss !== null) {
        remark(context, loss);
        const what = 'this removes what is kept now';
        await askToGoOn(context, 'Set it all the same?', { what, undone: 'nothing was changed' });
      }
    }
    show(context, scope, await scope.set(client, { retention }, signal), json);
  });
}

/** What goes that would otherwise stay, as a sentence; `null` for nothing. */
function describeLoss({ before, after }: NonNullable<RetentionResponse['nextCleanUp']>): string | null {
  const parts: string[] = [];
  if (after.versions > before.versions) {
    const size = showSize(Math.max(0, after.bytes - before.bytes));
    parts.push(`${count(after.versions - before.versions, 'old version')} (${size})`);
  }
  if (after.trashItems > before.trashItems) {
    parts.push(`${count(after.trashItems - before.trashItems, 'item')} of the trash`);
  }
  return parts.length === 0
    ? null
    : `The next clean-up, within a day, would remove ${parts.join(' and ')} for good, which stay as it is set now.`;
}

function show(context: CliContext, scope: Scope, answer: RetentionResponse, json: boolean): void {
  if (json) {
    printJson(context, answer);
    return;
  }
  const { own, effective } = answer;
  print(context, ...describeRetention(effective));
  if (own === null) print(context, `This is ${scope.byDefault}. Change it with "${scope.command} set".`);
  else print(context, `This is ${scope.own}. Take it back with "${scope.command} reset".`);
}

/** The settings in two sentences. */
export function describeRetention({ versions, trash }: Retention): string[] {
  const days = (number: number) => count(number, 'day');
  const daily =
    versions.keep === 'thinned' && versions.dailyDays > versions.allDays
      ? ` the last one of each day until it is ${days(versions.dailyDays)} old, then`
      : '';
  return [
    versions.keep === 'all'
      ? 'Old versions: all are kept.'
      : `Old versions: all for ${days(versions.allDays)}, then${daily} the last one of each week.`,
    trash.keep === 'all'
      ? 'Trash: kept until somebody empties it.'
      : `Trash: ${days(trash.days)}, or until somebody empties it.`,
  ];
}
