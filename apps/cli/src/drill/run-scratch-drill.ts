import { rmSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { createChildProcesses } from '../demo/child-processes.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { count, showSize, showText } from '../output/text.ts';
import { createSeededBytes, type DrillFile, drillFileSizes, putFile } from './drill-files.ts';
import { createDrillLog, describeDrill } from './drill-log.ts';
import { recordDrill } from './record-drill.ts';
import { forEachSample } from './sample-files.ts';
import { proveAll } from './scratch-claims.ts';
import { createScratchCluster } from './scratch-cluster.ts';
import { bringAllUp } from './scratch-stage.ts';

export interface ScratchDrillOptions {
  readonly nodes: number;
  readonly replicas: number;
  readonly files: number;
  readonly seed: string;
  /** Real files of who is signed in that become the content; 0: made from the seed. */
  readonly sample: number;
  readonly keep: boolean;
  readonly json: boolean;
  readonly healWithinMs: number;
}

/** Builds a cluster, does to it what must not hurt, and reports. @returns the exit status */
export async function runScratchDrill(context: CliContext, options: ScratchDrillOptions): Promise<number> {
  const { signal } = context;
  const processes = createChildProcesses();
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'cairn-drill-')));
  let isKept = options.keep;
  // The last resort: a second Ctrl-C or a closed terminal leaves no time for more.
  const onExit = (): void => {
    processes.killAllNow();
    if (!isKept) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const onHangUp = (): void => process.exit(EXIT_CODES.interrupted);
  process.on('exit', onExit);
  process.on('SIGHUP', onHangUp);
  try {
    return await drill();
  } catch (error) {
    // Ctrl-C reaches the children, too: what they do then is no failure of its own.
    signal.throwIfAborted();
    throw error;
  } finally {
    await processes.killAll();
    if (!isKept) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    process.off('exit', onExit);
    process.off('SIGHUP', onHangUp);
  }

  async function drill(): Promise<number> {
    const log = createDrillLog(context, 'scratch', options.json);
    const { nodes, replicas } = options;
    log.tell(
      `A server and ${count(nodes, 'storage node')} of its own in ${showText(folder)} (seed ${options.seed}).`,
    );
    const cluster = await createScratchCluster({ processes, folder, nodes, replicas, signal });
    try {
      const files: DrillFile[] = [];
      const makeBytes = createSeededBytes(options.seed);
      const wait = { withinMs: options.healWithinMs, signal };
      const stage = { cluster, log, files, makeBytes, signal, wait };
      await bringAllUp(stage);
      if (options.sample > 0) {
        await forEachSample(context, options.sample, options.seed, async (path, bytes) => {
          files.push(await putFile(cluster.client, `/sample${path}`, bytes, signal));
        });
      }
      // Also beside a sample, which may hold nothing of a size that can be damaged.
      for (const { name, sizeBytes } of drillFileSizes(options.sample > 0 ? 10 : options.files)) {
        files.push(await putFile(cluster.client, `/${name}`, makeBytes(name, sizeBytes), signal));
      }
      const bytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
      log.tell(`It holds ${count(files.length, 'file')} (${showSize(bytes)}).`);
      await proveAll(stage);
      const report = log.report();
      const isProven = report.claims.every(({ result }) => result === 'proven');
      if (!isProven) isKept = true;
      if (isKept) await cluster.writeLogs();
      const kept = isKept ? folder : null;
      if (options.json) printJson(context, { ...report, seed: options.seed, folder: kept });
      else print(context, ...describeDrill(report));
      await recordDrill(context, report);
      if (kept !== null) remark(context, `The folder of the drill is kept: ${showText(kept)}`);
      return isProven ? EXIT_CODES.ok : EXIT_CODES.error;
    } finally {
      cluster.close();
    }
  }
}
