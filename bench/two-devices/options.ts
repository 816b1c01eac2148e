import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseOne } from '../world/choose-one.ts';
import type { WireCounting } from '../world/network.ts';
import type { WorkPlace } from '../world/work-folder.ts';
import {
  type GroupName,
  PEER_NAMES,
  type PeerName,
  STEP_NAMES,
  STEPS,
  type StepName,
} from './measurement.ts';

export interface Sizes {
  readonly largeBytes: number;
  readonly textBytes: number;
  readonly smallFiles: number;
  readonly smallFolders: number;
  readonly samples: number;
  /** Other files in the folder whose latency is measured. */
  readonly latencyFiles: number;
  readonly restFiles: number;
  readonly restSeconds: number;
}

export interface BenchOptions extends Sizes {
  readonly runs: number;
  readonly peers: readonly PeerName[];
  readonly steps: readonly StepName[];
  readonly existingFolder: string | null;
  readonly wire: WireCounting | 'auto';
  readonly place: WorkPlace | 'auto';
  readonly base: string | undefined;
  /** Whether the page cache is full before each step. */
  readonly memory: 'used' | 'as-is' | 'auto';
  readonly stepTimeoutMs: number;
  readonly seed: string;
  readonly profileFolder: string | null;
}

export interface Outputs {
  /** Results of earlier runs to report instead of taking new ones. */
  readonly from: readonly string[];
  readonly json: string | null;
  readonly reportFolder: string | null;
  readonly writesDocs: boolean;
}

export const HELP = `npm run bench -- [options]

The same work from device A over a server to device B, with Cairn and with each of rsync, rclone, unison and syncthing
that is installed, beside cp -r + sync (once and twice) and SHA-256 of the same bytes. All processes are real and on
this machine. B's bytes are compared with A's after every step. Times never fail a run; a Cairn that fails or whose
trees differ does.

what
  --peers A,B         of cairn, rsync, rclone, unison, syncthing (all that are installed)
  --only A,B          steps: ${STEP_NAMES.join(', ')}
                      (all but folder); a step brings those of its group that come before it
  --runs N            repetitions, each in new folders (1)
  --quick             64 MiB, 2,000 small files, 32 MiB of text, 10 samples, 5,000 files at rest for 10 s
  --large-mib N       size of the large file (1024; 0: leave it out)
  --text-mib N        size of the text (512; 0: leave it out)
  --small-files N     number of small files, 1-32 KiB (20000; 0: leave them out)
  --small-folders N   folders they are in (500)
  --samples N         rewrites of a 1 KiB file (30; 0: leave them out)
  --rest-files N      number of files at rest (100000; 0: leave it out)
  --rest-seconds N    how long rest is watched (60)
  --node-modules DIR  an existing folder to take along, too (step folder)

how
  --wire HOW          auto: by the kernel in a network of its own where that is possible, otherwise by proxies;
                      kernel, proxy or none
  --no-wire           as --wire none
  --on HOW            auto: a new ext4 in a loop image for many files where that is possible (Linux, root), a folder
                      in the system's temporary one for large ones; loop or temp for everything
  --folder DIR        where to put either
  --memory HOW        auto: the page cache is full before each step where the kernel gives free memory back to the
                      host of a virtual machine; used or as-is for always or never
  --step-seconds N    longest wait for one step (900)
  --seed TEXT         of the data (cairn)
  --profile DIR       where to put a CPU profile of each process of Cairn

reports
  --json FILE         results as JSON, written again after every step ("-": printed at the end)
  --report DIR        a Markdown report with plots (SVG) and the JSON
  --write-docs        the report in docs/performance.md, between its markers, and the plots beside it
  --from FILE         reports what an earlier run wrote with --json instead of measuring; may be given several times
`;

const QUICK: Sizes = {
  largeBytes: 64 * 1024 ** 2,
  textBytes: 32 * 1024 ** 2,
  smallFiles: 2000,
  smallFolders: 100,
  samples: 10,
  latencyFiles: 100,
  restFiles: 5000,
  restSeconds: 10,
};
/** What the targets are about. */
export const FULL: Sizes = {
  largeBytes: 1024 ** 3,
  textBytes: 512 * 1024 ** 2,
  smallFiles: 20_000,
  smallFolders: 500,
  samples: 30,
  latencyFiles: 1000,
  restFiles: 100_000,
  restSeconds: 60,
};

/**
 * @returns what to measure and what to write, `null` where help is asked for
 * @throws Error about an option that makes no sense
 */
export function parseOptions(words: readonly string[]): { options: BenchOptions; outputs: Outputs } | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      peers: text,
      only: text,
      runs: text,
      quick: flag,
      'large-mib': text,
      'text-mib': text,
      'small-files': text,
      'small-folders': text,
      samples: text,
      'rest-files': text,
      'rest-seconds': text,
      'node-modules': text,
      wire: text,
      'no-wire': flag,
      on: text,
      folder: text,
      memory: text,
      'step-seconds': text,
      seed: text,
      profile: text,
      json: text,
      report: text,
      'write-docs': flag,
      from: { type: 'string', multiple: true },
      help: flag,
    },
  });
  if (values.help) return null;
  const sizes = values.quick ? QUICK : FULL;
  const count = (name: keyof typeof values, otherwise: number, least = 0): number => {
    const given = values[name];
    if (given === undefined) return otherwise;
    const number = Number(given);
    if (!Number.isFinite(number) || number < least) throw new Error(`--${name} is a number from ${least} on`);
    return number;
  };
  const mebibytes = (name: 'large-mib' | 'text-mib', otherwise: number) =>
    Math.round(count(name, otherwise / 1024 ** 2) * 1024 ** 2);
  const folder = values['node-modules'];
  const options: BenchOptions = {
    largeBytes: mebibytes('large-mib', sizes.largeBytes),
    textBytes: mebibytes('text-mib', sizes.textBytes),
    smallFiles: count('small-files', sizes.smallFiles),
    smallFolders: count('small-folders', sizes.smallFolders, 1),
    samples: count('samples', sizes.samples),
    latencyFiles: sizes.latencyFiles,
    restFiles: count('rest-files', sizes.restFiles),
    restSeconds: count('rest-seconds', sizes.restSeconds, 1),
    runs: count('runs', 1, 1),
    peers: chooseNames('peers', values.peers, PEER_NAMES) ?? PEER_NAMES,
    steps: [],
    existingFolder: folder === undefined ? null : resolve(folder),
    wire: values['no-wire'] ? 'none' : chooseOne('wire', values.wire, ['auto', 'kernel', 'proxy', 'none']),
    place: chooseOne('on', values.on, ['auto', 'loop', 'temp']),
    base: values.folder,
    memory: chooseOne('memory', values.memory, ['auto', 'used', 'as-is']),
    stepTimeoutMs: count('step-seconds', 900, 1) * 1000,
    seed: values.seed ?? 'cairn',
    profileFolder: values.profile === undefined ? null : resolve(values.profile),
  };
  const steps = chooseSteps(chooseNames('only', values.only, STEP_NAMES), options);
  const report = values.report === undefined ? null : resolve(values.report);
  const json = values.json ?? (report === null ? null : join(report, 'results.json'));
  return {
    options: { ...options, steps },
    outputs: { from: values.from ?? [], json, reportFolder: report, writesDocs: values['write-docs'] },
  };
}

/** The steps asked for, and those before them in their groups, but for what was given no size. */
function chooseSteps(asked: readonly StepName[] | null, options: BenchOptions): StepName[] {
  const sizes: Readonly<Record<GroupName, number>> = {
    large: options.largeBytes,
    small: options.smallFiles,
    text: options.textBytes,
    latency: options.samples,
    rest: options.restFiles,
    folder: options.existingFolder === null ? 0 : 1,
  };
  if (asked?.includes('folder') && sizes.folder === 0)
    throw new Error('the step folder needs --node-modules');
  const wanted = asked ?? STEP_NAMES;
  return STEP_NAMES.filter((step, index) => {
    const later = wanted.some((each) => STEPS[each] === STEPS[step] && STEP_NAMES.indexOf(each) >= index);
    return later && sizes[STEPS[step]] > 0;
  });
}

function chooseNames<Name extends string>(
  option: string,
  given: string | undefined,
  names: readonly Name[],
): Name[] | null {
  if (given === undefined) return null;
  return given.split(',').map((word) => {
    const name = names.find((each) => each === word.trim());
    if (name === undefined) throw new Error(`--${option}: "${word}" is none of ${names.join(', ')}`);
    return name;
  });
}
