import type { DrillReport } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, remark } from '../context.ts';
import { showText } from '../output/text.ts';

/**
 * Lets the server that one is signed in to keep what a drill proved. A scratch drill needs no server, and what was proven is
 * proven whoever keeps it: when nobody does, that is told and no more.
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
