import { setTimeout as sleep } from 'node:timers/promises';
import { CairnError } from '@cairn/model';
import type { VerificationResponse } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showSize } from '../output/text.ts';

const ASK_EVERY_MS = 500;
const TELL_EVERY_MS = 10_000;

/** `cairn admin verify`: waits for the end, and tells progress meanwhile. Returns the exit code. */
export async function verify(
  context: CliContext,
  options: { readonly quick?: boolean; readonly replicas?: boolean; readonly json?: boolean },
): Promise<number> {
  if (options.quick === true && options.replicas === true) {
    throw new CairnError(
      'usage',
      '--replicas reads everything and --quick reads nothing; leave one of them out',
    );
  }
  return withClient(context, async (client) => {
    let answer = await client.admin.beginVerification(
      { quick: options.quick === true, everyReplica: options.replicas === true },
      context.signal,
    );
    for (let waitedMs = 0; answer.state === 'running'; waitedMs += ASK_EVERY_MS) {
      if (waitedMs > 0 && waitedMs % TELL_EVERY_MS === 0) {
        remark(context, `${count(answer.checkedBlocks, 'block')} checked so far…`);
      }
      await sleep(ASK_EVERY_MS, undefined, { signal: context.signal }).catch(() => {
        throw new CairnError('cancelled', 'stopped waiting; the server goes on checking');
      });
      answer = await client.admin.verification(context.signal);
    }
    if (options.json === true) printJson(context, answer);
    else print(context, ...describeVerification(answer));
    return answer.state === 'done' && answer.report?.badBlocks === 0 ? EXIT_CODES.ok : EXIT_CODES.error;
  });
}

/** What was found, in sentences, with a line for each version that cannot be read. */
export function describeVerification({ state, problem, quick, report }: VerificationResponse): string[] {
  if (state !== 'done' || report === null)
    return [`The check ended early: ${problem ?? 'the server was started anew'}`];
  const lines = [
    quick
      ? `${count(report.checkedBlocks, 'block')} asked for; none was read.`
      : `${count(report.checkedBlocks, 'block')} (${showSize(report.checkedBytes)}) read and compared with their ids.`,
  ];
  if (report.badBlocks === 0) lines.push('Every version of every file is whole.');
  else {
    lines.push(
      `${count(report.badBlocks, 'block')} cannot be read, and with that ${count(report.damagedVersions, 'version')} of files:`,
    );
    for (const each of report.examples) {
      const place =
        each.place === 'current' ? '' : `, ${each.place === 'trash' ? 'in the trash' : 'an older version'}`;
      lines.push(`  ${each.path} (${each.problem}${place})`);
    }
    if (report.damagedVersions > report.examples.length) lines.push('  …');
    lines.push(
      'Nothing was changed. What is unavailable comes back with its storage node; what is missing or damaged is healed when a device that has the file uploads it again.',
    );
  }
  if (report.damagedReplicas > 0) {
    lines.push(
      `${count(report.damagedReplicas, 'replica')} were damaged on a storage node; they are made anew from the others.`,
    );
  }
  if (report.underReplicated > 0) {
    lines.push(
      `${count(report.underReplicated, 'block')} are on fewer storage nodes than wanted; "cairn admin nodes" tells more.`,
    );
  }
  return lines;
}
