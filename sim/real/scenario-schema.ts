import { z } from 'zod';

/**
 * What a scenario file may say: plain data, no functions. One scenario is a start, what happens on devices and
 * server, and the end that must follow; the driver replays it in memory, on real disks and with real processes.
 */

const deviceName = z.enum(['A', 'B', 'C', 'D']);
export type DeviceName = z.infer<typeof deviceName>;
const path = z.string().min(1);

/** `bytes`: that many random bytes, the same for the same seed. */
const contentSchema = z.union([
  z.string(),
  z.strictObject({ bytes: z.number().int().nonnegative(), seed: z.string() }),
]);
export type ScenarioContent = z.infer<typeof contentSchema>;

/** A file's content, a link's target, `null` for a folder (whose path ends in `/`). */
const itemSchema = z.union([
  contentSchema,
  z.null(),
  z.strictObject({ link: z.string() }),
  z.strictObject({
    content: contentSchema,
    executable: z.boolean().optional(),
    modifiedAtUs: z.number().int().optional(),
  }),
  /** In an end only: any of these contents. */
  z.strictObject({ oneOf: z.array(z.string()).min(2) }),
  /** In an end only: neither file, folder nor link. */
  z.strictObject({ other: z.literal(true) }),
]);
export type ScenarioItem = z.infer<typeof itemSchema>;

/**
 * Paths and what is there; folders on the way need not be named. In an end, a path may hold `*` (anything but
 * `/`; `\*` is a star), `{A}` (the mark of a conflict copy made by A), `{any}` (by any device) and `{case}` (the
 * mark of a case conflict).
 */
const treeSchema = z.record(path, itemSchema);
export type ScenarioTree = z.infer<typeof treeSchema>;

/** How an editor saves: writes beside and renames over; vim's way; moves the old one away first; in place; removes first. */
const saveWaySchema = z.enum(['rename-over', 'vim', 'backup', 'truncate', 'delete-create']);
export type SaveWay = z.infer<typeof saveWaySchema>;

const userSteps = [
  z.tuple([deviceName, z.literal('write'), path, contentSchema]),
  z.tuple([deviceName, z.literal('append'), path, z.string()]),
  z.tuple([deviceName, z.literal('save'), path, contentSchema, saveWaySchema]),
  z.tuple([deviceName, z.literal('folder'), path]),
  z.tuple([deviceName, z.literal('link'), path, z.string()]),
  z.tuple([deviceName, z.literal('move'), path, path]),
  z.tuple([deviceName, z.literal('swap'), path, path]),
  z.tuple([deviceName, z.literal('copy'), path, path]),
  z.tuple([deviceName, z.literal('hard-link'), path, path]),
  z.tuple([deviceName, z.literal('remove'), path]),
  z.tuple([deviceName, z.literal('mode'), path, z.boolean()]),
  z.tuple([deviceName, z.literal('time'), path, z.number().int()]),
  z.tuple([deviceName, z.literal('fifo'), path]),
  /** Writes that many small files `PREFIX0`, `PREFIX1` …, each with its own name as content. */
  z.tuple([deviceName, z.literal('many'), path, z.number().int().positive()]),
  /** Removes those again. */
  z.tuple([deviceName, z.literal('remove-many'), path, z.number().int().positive()]),
  /** Takes a thing out of the synced folder; `bring-back` moves it in again. */
  z.tuple([deviceName, z.literal('take-out'), path]),
  z.tuple([deviceName, z.literal('bring-back'), path]),
] as const;

const deviceSteps = [
  z.tuple([
    deviceName,
    z.enum([
      'start',
      'stop',
      'kill',
      'restart',
      'power-cut',
      'offline',
      'online',
      'lose-database',
      'confirm',
      'reject',
      'pause',
      'resume',
      'unmount',
      'mount',
      'deaf',
      'hearing',
      'disk-full',
      'disk-roomy',
    ]),
  ]),
  z.tuple([deviceName, z.enum(['unreadable', 'readable']), path]),
  /** The next commits happen, but their answers are lost. */
  z.tuple([deviceName, z.literal('lose-answers'), z.number().int().positive()]),
] as const;

const worldSteps = [
  z.tuple([z.literal('server'), z.enum(['stop', 'start', 'restart', 'kill', 'back-up', 'restore'])]),
  /** Waits until all running devices that are online, or the named ones, are equal to the server. */
  z.tuple([z.literal('settle')]).rest(deviceName),
  z.tuple([
    z.literal('until'),
    deviceName,
    z.enum(['held', 'offline', 'stopped', 'paused', 'waiting', 'in-sync']),
  ]),
  z.tuple([z.literal('has'), deviceName, path, z.string()]),
  z.tuple([z.literal('lacks'), deviceName, path]),
] as const;

const stepSchema = z.union([...userSteps, ...deviceSteps, ...worldSteps]);
export type ScenarioStep = z.infer<typeof stepSchema>;

export const STAGE_NAMES = ['memory', 'disk', 'processes'] as const;
const stageNameSchema = z.enum(STAGE_NAMES);
export type StageName = z.infer<typeof stageNameSchema>;

const deviceOptionsSchema = z.strictObject({
  /** The disk takes `a` and `A`, NFC and NFD for one name. In memory only. */
  foldsNames: z.boolean().optional(),
  /** Steps of its modification times, milliseconds. In memory only. */
  timeStepMs: z.number().positive().optional(),
  capacityBytes: z.number().positive().optional(),
});
export type DeviceOptions = z.infer<typeof deviceOptionsSchema>;

export const scenarioSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  /** Numbers of the torture list, the invariants and the policy (`T002`, `I17`, `P1`). */
  shows: z.array(z.string().regex(/^[TIPS]-?\d+[a-z]?$/)).min(1),
  title: z.string().min(10),
  /** All, unless the scenario needs what only some can do. */
  stages: z.array(stageNameSchema).min(1).optional(),
  /** An error of the product that is known and not mended yet: the end is not reached, which tests expect. */
  knownError: z.string().min(10).optional(),
  /** Whether CI replays it with processes, too. */
  inCi: z.boolean().optional(),
  /** A and B unless told. */
  devices: z.partialRecord(deviceName, deviceOptionsSchema).optional(),
  start: treeSchema.optional(),
  /** Devices that have the start tree before anything runs; A unless told. */
  startOn: z.array(deviceName).optional(),
  /** Devices that do not run at the start. */
  asleep: z.array(deviceName).optional(),
  steps: z.array(stepSchema),
  end: z.strictObject({
    /** The same on the server and every device. */
    tree: treeSchema,
    /** What one device has besides. */
    only: z.partialRecord(deviceName, treeSchema).optional(),
    /** What may be there besides, on all alike. */
    maybe: treeSchema.optional(),
    /** What one device does not have of the tree (names it cannot hold). */
    without: z.partialRecord(deviceName, z.array(path)).optional(),
    /** Contents that must be live, in a version, in the trash or rescued. What ever settled must be anyway. */
    reachable: z.array(contentSchema).optional(),
    /** Kinds of notices that a device must have given. */
    notices: z.partialRecord(deviceName, z.array(z.string())).optional(),
    /** Paths that a device lists as not synced. */
    unsynced: z.partialRecord(deviceName, z.array(z.string())).optional(),
    /** Paths with which a device may rest unfinished, because its user has to do something. */
    waits: z.partialRecord(deviceName, z.array(z.string())).optional(),
    /** How many versions the file at a path has. */
    versions: z.record(path, z.number().int().positive()).optional(),
    /** Devices that rightly do not run at the end; they are not looked at unless in `only`. */
    down: z.array(deviceName).optional(),
    /** Contents of the start or of a settled state that may be gone: the user emptied them knowingly. */
    mayBeGone: z.array(contentSchema).optional(),
  }),
});
export type Scenario = z.infer<typeof scenarioSchema>;
/** What a scenario file holds. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
