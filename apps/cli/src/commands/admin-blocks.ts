import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@cairn/client';
import { CairnError, isCairnError } from '@cairn/model';
import type { BlocksResponse } from '@cairn/protocol';
import type { Command } from 'commander';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showInstant, showSize } from '../output/text.ts';

interface MoveFlags {
  readonly cancel?: boolean;
  readonly wait?: boolean;
  readonly mibS?: string;
  readonly leaveDamaged?: boolean;
  readonly json?: boolean;
}

const MEBIBYTE = 1024 * 1024;
const ASK_EVERY_MS = 500;
const TELL_EVERY_MS = 10_000;

/** admin blocks status, admin blocks move */
export function registerAdminBlocks(
  admin: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const blocks = admin
    .command('blocks')
    .description('where stored contents are, and moving them to another place')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn admin blocks status\n  cairn admin blocks move nodes:\n  cairn admin blocks move file:/disk2/cairn-blocks --wait',
    );
  blocks
    .command('status', { isDefault: true })
    .description('tell where they are, and how far a move is')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn admin blocks status')
    .action((options: { json?: boolean }) =>
      withClient(context, async (client) =>
        show(context, await client.admin.blocks(context.signal), options),
      ),
    );
  blocks
    .command('move')
    .description('move everything to another place while the server serves')
    .argument('[place]', 'nodes: with settings, or file:DIR with a whole path on the server')
    .option('--cancel', 'go back to where it came from')
    .option('--mib-s <number>', 'copy at most so many MiB each second; 0: as fast as it goes')
    .option('--leave-damaged', 'end the move although blocks that cannot be read stay behind')
    .option('--wait', 'tell progress until it has ended')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe same place again changes the settings of the move under way.\n\nExamples:\n  cairn admin blocks move nodes: --mib-s 50 --wait\n  cairn admin blocks move --cancel',
    )
    .action(async (place: string | undefined, options: MoveFlags) =>
      setExitCode(await move(context, place, options)),
    );
}

function parseRate(text: string): number | null {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) {
    throw new CairnError('usage', `--mib-s takes a whole number of MiB, not "${text}"`);
  }
  return value === 0 ? null : value * MEBIBYTE;
}

async function begin(
  client: Client,
  context: CliContext,
  place: string | undefined,
  options: MoveFlags,
): Promise<BlocksResponse> {
  if (options.cancel === true) {
    if (place !== undefined) throw new CairnError('usage', 'give either a place or --cancel');
    return client.admin.cancelBlockMove(context.signal);
  }
  if (place === undefined) throw new CairnError('usage', 'say where to: nodes: or file:DIR; or --cancel');
  return client.admin.moveBlocks(
    {
      target: place,
      ...(options.mibS === undefined ? {} : { bytesPerSecond: parseRate(options.mibS) }),
      ...(options.leaveDamaged === true ? { leavesDamaged: true } : {}),
    },
    context.signal,
  );
}

async function move(context: CliContext, place: string | undefined, options: MoveFlags): Promise<number> {
  return withClient(context, async (client) => {
    let answer = await begin(client, context, place, options);
    for (let waitedMs = 0; options.wait === true && answer.move !== null; waitedMs += ASK_EVERY_MS) {
      // What does not get on without somebody is no reason to wait.
      if (answer.move.phase === 'held') break;
      if (waitedMs > 0 && waitedMs % TELL_EVERY_MS === 0) remark(context, describeMove(answer.move)[0] ?? '');
      await sleep(ASK_EVERY_MS, undefined, { signal: context.signal }).catch(() => {
        throw new CairnError('cancelled', 'stopped waiting; the server goes on moving');
      });
      try {
        answer = await client.admin.blocks(context.signal);
      } catch (error) {
        // It goes on where it was when the server is back.
        if (!isCairnError(error, 'server-unreachable', 'unavailable')) throw error;
      }
    }
    show(context, answer, options);
    return options.wait === true && answer.move !== null ? EXIT_CODES.partial : EXIT_CODES.ok;
  });
}

function show(context: CliContext, answer: BlocksResponse, options: { readonly json?: boolean }): void {
  if (options.json === true) printJson(context, answer);
  else print(context, ...describeBlocks(answer));
}

function showDuration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function describeMove(move: NonNullable<BlocksResponse['move']>): string[] {
  const { phase, checkedBlocks, totalBlocks, copiedBlocks, copiedBytes, bytesEachSecond } = move;
  const verb = { copying: 'Copying', checking: 'Making sure of everything', held: 'Copied but for some' }[
    phase
  ];
  const rate =
    phase === 'copying' && bytesEachSecond !== null ? `, ${showSize(bytesEachSecond)} each second` : '';
  const left =
    phase !== 'held' && move.secondsLeft !== null ? `, about ${showDuration(move.secondsLeft)} left` : '';
  const lines = [
    `${verb}: ${checkedBlocks} of ${count(totalBlocks, 'block')} looked at, ${copiedBlocks} (${showSize(copiedBytes)}) copied${rate}${left}.`,
  ];
  if (move.badBlocks > 0) {
    lines.push(`${count(move.badBlocks, 'block')} cannot be read; "cairn admin verify" names the files.`);
  }
  if (move.problem !== null) lines.push(`It waits: ${move.problem}`);
  return lines;
}

/** How to get rid of what a move left. */
function describeRest(previous: string): string {
  return previous.startsWith('file:')
    ? `What was in ${previous.slice('file:'.length)} is still there, and not used any more. Once "cairn admin verify" finds nothing, that folder may be removed.`
    : 'What the storage nodes have is still there, and not used any more. Once "cairn admin verify" finds nothing, remove them with "cairn admin nodes remove ID", stop them, and remove their folders.';
}

/** Where everything is, and what goes on, in sentences. */
export function describeBlocks(answer: BlocksResponse): string[] {
  const { place, previous, movedAt, leftBlocks, warning, move } = answer;
  const lines: string[] = [];
  if (move !== null) {
    lines.push(
      move.isReturn
        ? `The move to ${move.from} was cancelled: everything goes back to ${move.to}.`
        : `Contents are being moved from ${move.from} to ${move.to}, since ${showInstant(move.startedAt)}.`,
      ...describeMove(move),
    );
  } else {
    lines.push(`Contents are in ${place}.`);
    if (previous !== null && movedAt !== null) {
      lines.push(`They were moved there from ${previous}; that ended on ${showInstant(movedAt)}.`);
      lines.push(describeRest(previous));
    }
  }
  if (leftBlocks > 0) {
    lines.push(
      `${count(leftBlocks, 'block')} stayed behind, as nothing had them whole; "cairn admin verify" names the files.`,
    );
  }
  if (warning !== null) lines.push(`Warning: ${warning}.`);
  return lines;
}
