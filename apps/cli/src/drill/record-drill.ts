import type { DrillReport } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, remark } from '../context.ts';
import { showText } from '../output/text.ts';

/**
 * Lets the server that one is signed in to keep what a scratch drill proved. A drill needs no server, so it is no failure of
 * the drill when there is none; that is told.
 */
export async function recordDrill(context: CliContext, report: DrillReport): Promise<void> {
  try {
    await withClient(context, (client) => client.admin.drills.record(report, context.signal), {
      maxAttempts: 1,
    });
  } catch (error) {
    context.signal.throwIfAborted();
    const why = showText(error instanceof Error ? error.message : String(error));
    remark(context, `No server keeps this report: ${why}`);
  }
}
