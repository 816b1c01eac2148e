/** What a run keeps of each size that it measured: times in seconds or milliseconds as named, memory in bytes. */

export const SERIES_NAMES = ['files', 'size', 'devices', 'journal'] as const;
export type SeriesName = (typeof SERIES_NAMES)[number];

export interface Places<Value> {
  readonly server: Value;
  readonly a: Value;
  readonly b: Value;
}

/** One change of 1 KiB after the other, each from `close` on A until every other device reads it. */
export interface Edits {
  readonly samplesMs: readonly number[];
  /** The same until the first of the others reads it. */
  readonly firstMs: readonly number[];
  /** CPU time for each edit; that of the receiving devices is their mean. */
  readonly cpuMs: { readonly server: number; readonly sender: number; readonly receiver: number };
}

export interface FilesPoint {
  readonly files: number;
  readonly folders: number;
  /** From the start of A's daemon, with the files in its folder, until it says that it is in sync. */
  readonly sendSeconds: number;
  readonly sendCpuSeconds: { readonly server: number; readonly device: number };
  /** From the start of the daemon of a new device until it says that it is in sync. */
  readonly receiveSeconds: number;
  readonly receiveCpuSeconds: { readonly server: number; readonly device: number };
  readonly peakBytes: Places<number>;
  /** After a pause in which nothing happened. */
  readonly residentBytes: Places<number>;
  /** From the start of A's daemon with nothing changed until it says that it is in sync. */
  readonly startSeconds: readonly number[];
  readonly startCpuSeconds: readonly number[];
  readonly edits: Edits;
}

/** One change of a large file. */
export interface SizeStep {
  /** From the change on A until B has it under its name. */
  readonly seconds: number;
  /** Both hops; `null` where nothing counts. */
  readonly wireBytes: number | null;
  /** Until all were at rest. */
  readonly cpuSeconds: Places<number>;
  readonly peakBytes: Places<number>;
}

export interface SizePoint {
  readonly sizeBytes: number;
  /** Of these random; the rest is holes. */
  readonly randomBytes: number;
  readonly arrival: SizeStep;
  readonly overwrite: SizeStep;
  /** What the file takes on disk after all. */
  readonly diskBytes: { readonly a: number; readonly b: number };
}

export interface DevicesPoint {
  readonly devices: number;
  readonly edits: Edits;
  readonly residentBytes: { readonly server: number; readonly device: number };
}

/** A device comes to know what others did meanwhile. */
export interface CatchUp {
  /** From the start of its daemon until it says that it is in sync. */
  readonly seconds: number;
  readonly cpuSeconds: { readonly server: number; readonly device: number };
  readonly peakBytes: number;
}

export interface JournalPoint {
  readonly changes: number;
  readonly files: number;
  /** One that had everything before the changes. */
  readonly away: CatchUp;
  /** One that is new. */
  readonly joins: CatchUp;
  readonly edits: Edits;
  /** The server's database. */
  readonly databaseBytes: number;
}

export interface Points {
  readonly files: readonly FilesPoint[];
  readonly size: readonly SizePoint[];
  readonly devices: readonly DevicesPoint[];
  readonly journal: readonly JournalPoint[];
}

/** What a run writes with --json. */
export interface GrowthRecord extends Points {
  readonly machine: string;
  /** When it ended, ISO 8601. */
  readonly endedAt: string;
  readonly where: readonly string[];
  readonly wire: string;
  readonly failures: readonly GrowthFailure[];
}

/** A size that could not be measured, or whose bytes were wrong. */
export interface GrowthFailure {
  readonly series: SeriesName;
  readonly size: number;
  readonly message: string;
}

/** Number by which the points of a series are told apart. */
export const SIZE_OF: { readonly [Name in SeriesName]: (point: Points[Name][number]) => number } = {
  files: ({ files }) => files,
  size: ({ sizeBytes }) => sizeBytes,
  devices: ({ devices }) => devices,
  journal: ({ changes }) => changes,
};

/** Several records as one; of what was measured again, the later figure counts. */
export function mergeRecords(records: readonly GrowthRecord[]): GrowthRecord {
  const sorted = records.toSorted((left, right) => (left.endedAt < right.endedAt ? -1 : 1));
  const latest = sorted.at(-1);
  if (latest === undefined) throw new RangeError('nothing to merge');
  const merge = <Name extends SeriesName>(name: Name): Points[Name][number][] => {
    const sizeOf: (point: Points[Name][number]) => number = SIZE_OF[name];
    const bySize = new Map<number, Points[Name][number]>();
    for (const record of sorted) for (const point of record[name]) bySize.set(sizeOf(point), point);
    return [...bySize].sort(([left], [right]) => left - right).map(([, point]) => point);
  };
  return {
    ...latest,
    where: [...new Set(sorted.flatMap(({ where }) => where))],
    wire: [...new Set(sorted.map(({ wire }) => wire))].join('; '),
    failures: sorted.flatMap(({ failures }) => failures),
    files: merge('files'),
    size: merge('size'),
    devices: merge('devices'),
    journal: merge('journal'),
  };
}
