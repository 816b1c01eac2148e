import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseOne } from '../world/choose-one.ts';
import type { WireCounting } from '../world/network.ts';
import type { WorkPlace } from '../world/work-folder.ts';
import { SERIES_NAMES, type SeriesName } from './points.ts';

export interface GrowthOptions {
  readonly only: readonly SeriesName[];
  readonly files: readonly number[];
  readonly filesInFolder: number;
  readonly sizesBytes: readonly number[];
  readonly devices: readonly number[];
  readonly changes: readonly number[];
  readonly samples: number;
  readonly starts: number;
  /** Nothing happens for so long before memory at rest is read. */
  readonly calmMs: number;
  readonly wire: WireCounting | 'auto';
  readonly place: WorkPlace | 'auto';
  readonly base: string | undefined;
  /** Whether the page cache is full before each size. */
  readonly memory: 'used' | 'as-is' | 'auto';
  readonly timeoutMs: number;
  readonly profileFolder: string | null;
}

export interface GrowthOutputs {
  /** Points of earlier runs to report instead of taking new ones. */
  readonly from: readonly string[];
  readonly json: string | null;
  readonly writesDocs: boolean;
}

export const MIB = 1024 ** 2;
const MOST_FILES = 100_000;

export const HELP = `npm run bench:growth -- [options]

How what Cairn costs grows: a real server and real daemons on this machine, with more and more of one thing. After each
size the bytes on the devices are compared; wrong bytes, an error or a program that ends fail the run and end their
series. Times never fail it.

what
  --only A,B           of ${SERIES_NAMES.join(', ')} (all)
  --files N,N          numbers of files of at most 1 KiB in A's folder (1000,10000,100000)
  --max-files N        goes on from there by tens, or leaves larger ones out: --max-files 1000000
  --files-in-folder N  (1000)
  --sizes-mib N,N      sizes of a sparse file with a random MiB at its start, middle and end
                       (1,1024,10240,102400)
  --devices N,N        numbers of daemons of one account (2,5,10,25)
  --changes N,N        lengths of the journal that a device joins or was away for (1000,10000,100000)
  --samples N          edits of a 1 KiB file for a latency (10)
  --starts N           of a daemon with nothing changed (3)
  --calm-seconds N     pause before memory at rest is read (10)

how
  --wire HOW           auto: by the kernel in a network of its own where that is possible, otherwise by proxies;
                       kernel, proxy or none
  --on HOW             auto: a new ext4 in a loop image for many files and large ones where that is possible
                       (Linux, root), a folder in the system's temporary one for the rest; loop or temp for everything
  --folder DIR         where to put either
  --memory HOW         auto: the page cache is full before each size where the kernel gives free memory back to the
                       host of a virtual machine; used or as-is for always or never
  --step-seconds N     longest wait for one thing (14400)
  --profile DIR        where to put CPU profiles, a folder for each size

reports
  --json FILE          points as JSON, written again after each
  --write-docs         the tables and the plot in docs/performance.md, between their markers
  --from FILE          reports what earlier runs wrote with --json instead of measuring; may be given several times
`;

/**
 * @returns what to measure and what to write, `null` where help is asked for
 * @throws Error about an option that makes no sense
 */
export function parseOptions(
  words: readonly string[],
): { options: GrowthOptions; outputs: GrowthOutputs } | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: text,
      files: text,
      'max-files': text,
      'files-in-folder': text,
      'sizes-mib': text,
      devices: text,
      changes: text,
      samples: text,
      starts: text,
      'calm-seconds': text,
      wire: text,
      on: text,
      folder: text,
      memory: text,
      'step-seconds': text,
      profile: text,
      json: text,
      'write-docs': flag,
      from: { type: 'string', multiple: true },
      help: flag,
    },
  });
  if (values.help) return null;
  type Name = Exclude<keyof typeof values, 'from' | 'write-docs' | 'help'>;
  const list = (name: Name, otherwise: string, least = 1): number[] => {
    const numbers = (values[name] ?? otherwise).split(',').map((word) => parseCount(name, word, least));
    return [...new Set(numbers)].sort((left, right) => left - right);
  };
  const count = (name: Name, otherwise: number, least = 1): number =>
    parseCount(name, values[name] ?? String(otherwise), least);
  return {
    options: {
      only: chooseSeries(values.only),
      files: chooseFiles(list('files', '1000,10000,100000'), values.files, values['max-files']),
      filesInFolder: count('files-in-folder', 1000),
      sizesBytes: list('sizes-mib', '1,1024,10240,102400').map((mebibytes) => mebibytes * MIB),
      devices: list('devices', '2,5,10,25', 2),
      changes: list('changes', '1000,10000,100000'),
      samples: count('samples', 10),
      starts: count('starts', 3),
      calmMs: count('calm-seconds', 10, 0) * 1000,
      wire: chooseOne('wire', values.wire, ['auto', 'kernel', 'proxy', 'none']),
      place: chooseOne('on', values.on, ['auto', 'loop', 'temp']),
      base: values.folder === undefined ? undefined : resolve(values.folder),
      memory: chooseOne('memory', values.memory, ['auto', 'used', 'as-is']),
      timeoutMs: count('step-seconds', 14_400) * 1000,
      profileFolder: values.profile === undefined ? null : resolve(values.profile),
    },
    outputs: {
      from: values.from ?? [],
      json: values.json === undefined ? null : resolve(values.json),
      writesDocs: values['write-docs'],
    },
  };
}

/** Without --files, --max-files adds powers of ten up to itself. */
function chooseFiles(
  numbers: readonly number[],
  given: string | undefined,
  most: string | undefined,
): number[] {
  if (most === undefined) return [...numbers];
  const limit = parseCount('max-files', most, 1);
  const chosen = numbers.filter((number) => number <= limit);
  if (given === undefined) for (let next = MOST_FILES * 10; next <= limit; next *= 10) chosen.push(next);
  if (chosen.length === 0) throw new Error('--max-files leaves no number of files');
  return chosen;
}

function chooseSeries(given: string | undefined): readonly SeriesName[] {
  if (given === undefined) return SERIES_NAMES;
  const wanted = given.split(',').map((word) => word.trim());
  for (const word of wanted)
    if (!SERIES_NAMES.some((name) => name === word))
      throw new Error(`--only: "${word}" is none of ${SERIES_NAMES.join(', ')}`);
  return SERIES_NAMES.filter((name) => wanted.includes(name));
}

function parseCount(name: string, word: string, least: number): number {
  const number = Number(word);
  if (word.trim() === '' || !Number.isSafeInteger(number) || number < least)
    throw new Error(`--${name}: "${word}" is no whole number from ${least} on`);
  return number;
}
