import { CairnError } from '@cairn/model';
import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import type { SetExitCode } from '../register-command.ts';

interface DrillFlags {
  readonly nodes: string;
  readonly replicas: string;
  readonly files: string;
  readonly sample?: string;
  readonly seed?: string;
  readonly healWithin?: string;
  readonly live?: boolean;
  readonly node: readonly string[];
  readonly keep?: boolean;
  readonly json?: boolean;
}

/** admin drill */
export function registerAdminDrill(admin: Command, context: CliContext, setExitCode: SetExitCode): void {
  admin
    .command('drill')
    .description('prove that nodes, disks and servers may fail: do it, and report what held')
    .option('--nodes <number>', 'storage nodes of the scratch cluster, at least 3', '3')
    .option('--replicas <number>', 'replicas of each block there, as on your server', '3')
    .option('--files <number>', 'files that are made for it', '30')
    .option(
      '--sample <number>',
      'up to so many of your own files: the content of the scratch cluster, or what a live drill reads too',
    )
    .option('--seed <text>', 'decides what the files are; a new one each time unless told')
    .option(
      '--heal-within <seconds>',
      'how long healing may take before it counts as failed (default: 120, live 1800)',
    )
    .option('--live', 'drill the cluster of the server you are signed in to, without harm to it')
    .option(
      '--node <id>',
      'with --live: only this node; may be given again',
      (id: string, all: readonly string[]) => [...all, id],
      [],
    )
    .option('--keep', 'keep the folder of the scratch cluster in any case')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nBuilds a cluster of its own in a temporary folder, kills its processes, damages its files, and reports.\n' +
        'With --live the nodes in use are held out and reported as full, one by one and for a moment; damaged are only\n' +
        'files that the drill made itself.\n' +
        'The exit status is 1 when anything was not proven; then the folder is kept.\n' +
        '\nExamples:\n  cairn admin drill\n  cairn admin drill --sample 200 --json\n  cairn admin drill --live',
    )
    .action(async (flags: DrillFlags) => setExitCode(await drill(context, flags)));
}

function whole(text: string, name: string, least: number, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= most) return value;
  throw new CairnError('usage', `"${text}" (--${name}) is not a whole number from ${least} to ${most}`);
}

async function drill(context: CliContext, flags: DrillFlags): Promise<number> {
  const healWithinMs =
    whole(flags.healWithin ?? (flags.live === true ? '1800' : '120'), 'heal-within', 1, 86_400) * 1000;
  if (flags.live === true) {
    const { runLiveDrill } = await import('../drill/run-live-drill.ts');
    return runLiveDrill(context, {
      nodes: flags.node,
      sample: whole(flags.sample ?? '20', 'sample', 0, 100_000),
      json: flags.json === true,
      healWithinMs,
    });
  }
  if (flags.node.length > 0) throw new CairnError('usage', '--node is for --live; add that, or leave it out');
  const nodes = whole(flags.nodes, 'nodes', 3, 20);
  const [{ runScratchDrill }, { randomBytes }] = await Promise.all([
    import('../drill/run-scratch-drill.ts'),
    import('node:crypto'),
  ]);
  return runScratchDrill(context, {
    nodes,
    replicas: whole(flags.replicas, 'replicas', 1, Math.min(9, nodes)),
    files: whole(flags.files, 'files', 10, 10_000),
    sample: flags.sample === undefined ? 0 : whole(flags.sample, 'sample', 1, 100_000),
    seed: flags.seed ?? randomBytes(6).toString('hex'),
    keep: flags.keep === true,
    json: flags.json === true,
    healWithinMs,
  });
}
