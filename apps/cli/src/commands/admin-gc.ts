import { setTimeout as sleep } from 'node:timers/promises';
import { CairnError } from '@cairn/model';
import type { CollectionReport, CollectionResponse } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showInstant, showSize } from '../output/text.ts';

const ASK_EVERY_MS = 300;
const TELL_EVERY_MS = 9_000;

const STEPS: Readonly<Record<NonNullable<CollectionResponse['step']>, string>> = {
  trash: 'looking for old trash',
  versions: 'looking for old versions',
  expire: 'forgetting uploads that were given up',
  condemn: 'marking blocks that nothing needs',
  sweep: 'taking marked blocks out of the database',
  orphans: 'looking for what interrupted uploads left',
  reclaim: 'deleting blocks',
  audit: 'checking all references',
  compact: 'giving the space back to the disk',
};

/** `cairn admin gc`: waits for the end, and tells progress meanwhile. Returns the exit code. */
export async function collect(
  context: CliContext,
  options: { readonly dryRun?: boolean; readonly json?: boolean },
): Promise<number> {
  return withClient(context, async (client) => {
    let answer = await client.admin.beginCollection({ dryRun: options.dryRun === true }, context.signal);
    for (let waitedMs = 0; answer.state === 'running'; waitedMs += ASK_EVERY_MS) {
      if (waitedMs > 0 && waitedMs % TELL_EVERY_MS === 0 && answer.step !== null) {
        const done = answer.doneBlocks > 0 ? `, ${count(answer.doneBlocks, 'block')} so far` : '';
        remark(context, `${STEPS[answer.step]}${done}…`);
      }
      await sleep(ASK_EVERY_MS, undefined, { signal: context.signal }).catch(() => {
        throw new CairnError('cancelled', 'stopped waiting; the server goes on cleaning up');
      });
      answer = await client.admin.collection(context.signal);
    }
    const { report, problem } = answer;
    if (options.json === true) printJson(context, answer);
    if (report === null) {
      if (options.json !== true)
        print(context, `The clean-up ended early: ${problem ?? 'the server was started anew'}`);
      return EXIT_CODES.error;
    }
    if (options.json !== true) print(context, ...describeCollection(report));
    const { dangling } = report.audit;
    if (dangling > 0) {
      remark(
        context,
        `${count(dangling, 'reference')} to contents that are not there. Keep the data folder as it is, and see --json.`,
      );
    }
    return EXIT_CODES.ok;
  });
}

/** What was done, or would be, in sentences. */
function describeCollection(report: CollectionReport): string[] {
  const { dryRun, trash, versions, collection } = report;
  const will = (done: string, planned: string): string => (dryRun ? planned : done);
  const blocks = (amount: { readonly blocks: number; readonly storedBytes: number }): string =>
    `${count(amount.blocks, 'block')} (${showSize(amount.storedBytes)})`;
  const lines: string[] = [];
  if (trash.items > 0) {
    lines.push(`Trash: ${count(trash.items, 'old item')} ${will('deleted', 'would be deleted')} for good.`);
  }
  if (versions.versions > 0) {
    const size = showSize(versions.bytes);
    lines.push(
      `Versions: ${count(versions.versions, 'old one')} (${size}) ${will('removed', 'would be removed')}.`,
    );
  }
  if (collection.quarantinedUntil !== null) {
    lines.push(
      'The database came back from a backup, so no stored blocks are deleted until ' +
        `${showInstant(collection.quarantinedUntil)}: devices may still bring back what they know.`,
    );
  }
  if (collection.condemned.blocks > 0) {
    lines.push(
      `Unused: ${blocks(collection.condemned)} ${will('are', 'would be')} marked, to be deleted in some days ` +
        'unless somebody needs them again.',
    );
  }
  if (collection.orphansNoted.blocks > 0) {
    lines.push(
      `Left by interrupted uploads: ${blocks(collection.orphansNoted)}, to be deleted in some days.`,
    );
  }
  const deleted = will('Deleted', 'Would be deleted');
  lines.push(
    collection.reclaimed.blocks > 0
      ? `${deleted}: ${blocks(collection.reclaimed)} that had been marked long enough.`
      : `${deleted}: no stored blocks, since none have been marked for long enough.`,
  );
  return lines;
}
