import type { Entry } from '@cairn/model';
import { IGNORE_FILE, type IgnoreRules, parseIgnoreRules } from '@cairn/sync-engine';
import { fail, type World } from '../history/world.ts';
import type { Device } from '../world/device.ts';
import { pathOf } from './mirror.ts';
import { type Value, wordsOf } from './values.ts';

/** A user's change is seen within this time: events are gathered for some moments, and a slow disk takes its time. */
const NOTICED_AFTER_MS = 1500;

interface Seen {
  /** Values in the user's view when it was last looked at. */
  values: ReadonlySet<Value>;
  /** Something happened since. */
  isDirty: boolean;
  state: string;
  /** It has just said that it is in sync. */
  hasClaimed: boolean;
}

/**
 * What must hold at every moment. Only devices on which something happened are looked at, so this costs little.
 */
export class MomentChecks {
  readonly #world: World;
  readonly #seen = new Map<Device, Seen>();
  /** Values that left the last disk that had them. */
  readonly #suspects = new Set<Value>();

  constructor(world: World) {
    this.#world = world;
    for (const device of world.devices) this.watch(device);
    world.onDevice = (device) => this.watch(device);
  }

  watch(device: Device): void {
    const seen: Seen = { values: new Set(), isDirty: true, state: '', hasClaimed: false };
    this.#seen.set(device, seen);
    device.disk.onUse = () => {
      seen.isDirty = true;
    };
    device.onState = () => this.#noteState(device, seen);
  }

  /** Called at the end of every moment. */
  check(): void {
    try {
      for (const [device, seen] of this.#seen) {
        if (seen.isDirty) {
          seen.isDirty = false;
          this.#checkView(device, seen);
        }
        if (seen.hasClaimed) this.#checkClaim(device, seen);
      }
      this.#checkSuspects();
    } catch (error) {
      fail(this.#world, error);
    }
  }

  #noteState(device: Device, seen: Seen): void {
    const { state } = device.engine.status();
    if (state === seen.state) return;
    seen.state = state;
    seen.hasClaimed = state === 'in-sync';
    this.#world.statistics.count(`state:${state}`);
    this.#world.trace.note(`${device.name} is ${state}`);
  }

  /** [I4] Whoever looks at a file at any instant sees a content that some user wrote, whole. */
  #checkView(device: Device, seen: Seen): void {
    // A disk that is not there shows nothing and has lost nothing.
    if (!device.isMounted) return;
    const { values } = this.#world;
    const present = new Set<Value>();
    const names = new Set<string>();
    const rules = this.#world.script.ignores ? rulesOf(device) : null;
    for (const { path, bytes } of device.disk.user.walk()) {
      const name = path.normalize('NFC').toLowerCase();
      if (names.has(name)) this.#world.hadClash = true;
      names.add(name);
      if (bytes === null) continue;
      const value = values.find(bytes);
      if (value === undefined)
        throw new Error(`[I4] nobody wrote what ${device.name} shows at "${path}": ${wordsOf(bytes)}`);
      present.add(value);
      if (rules?.isIgnored(path, false) === true) this.#world.leftOut.add(value);
    }
    for (const value of seen.values) if (value.isAlive && !present.has(value)) this.#suspects.add(value);
    seen.values = present;
  }

  /** [I1] What left a disk is on another one, on the server, or in a rescue area. */
  #checkSuspects(): void {
    if (this.#suspects.size === 0) return;
    const { mirror, devices, values } = this.#world;
    for (const value of this.#suspects) {
      this.#suspects.delete(value);
      if (!value.isAlive) continue;
      if ([...this.#seen.values()].some((seen) => seen.values.has(value))) continue;
      if (value.contentId !== null && mirror.contents.has(value.contentId)) continue;
      const isRescued = devices.some(({ disk }) =>
        disk.user.rescued().some((bytes) => values.find(bytes) === value),
      );
      if (!isRescued) throw new Error(`[I1] ${value.label} is nowhere any more`);
    }
  }

  /** "In sync" is only said when disk and server are equal, but for what the user did this very moment. */
  #checkClaim(device: Device, seen: Seen): void {
    const { mirror, timeline, script } = this.#world;
    seen.hasClaimed = false;
    if (!device.isRunning || script.ignores || device.isBlind || !device.isMounted) return;
    if (timeline.nowMs - device.lastActMs < NOTICED_AFTER_MS) return;
    const { cursor } = device.trees;
    const state = mirror.at(cursor);
    if (state === undefined) return;
    const expected = [...state.values()].flatMap((entry) =>
      entry.parentId === null ? [] : [lineOfEntry(entry, pathOf(state, entry), device)],
    );
    const actual = linesOfDisk(this.#world, device);
    const difference = differ(expected, actual);
    if (difference !== null)
      throw new Error(`${device.name} says it is in sync at ${cursor?.sequence}, but ${difference}`);
  }
}

/** What the device's user has it ignore now. */
function rulesOf({ disk }: Device): IgnoreRules {
  const file = disk.user.walk().find(({ path, bytes }) => path === IGNORE_FILE && bytes !== null);
  return parseIgnoreRules(Buffer.from(file?.bytes ?? []).toString());
}

/** One line an item, in the same words for both sides. */
function lineOfEntry(entry: Entry, path: string, device: Device): string {
  const name = path.normalize('NFC');
  if (entry.kind === 'folder') return `${name} folder`;
  if (entry.kind === 'link') return `${name} link ${entry.target}`;
  const executable = device.variant.storesExecutable && entry.executable ? ' x' : '';
  return `${name} file ${entry.content.contentId}${executable}`;
}

export function linesOfDisk({ values }: Pick<World, 'values'>, device: Device): string[] {
  return device.disk.user.walk().map(({ path, kind, bytes, target, executable }) => {
    const name = path.normalize('NFC');
    if (bytes === null) return kind === 'link' ? `${name} link ${target}` : `${name} ${kind}`;
    const contentId = values.find(bytes)?.contentId ?? wordsOf(bytes);
    return `${name} file ${contentId}${device.variant.storesExecutable && executable ? ' x' : ''}`;
  });
}

export function linesOfServer({ mirror }: Pick<World, 'mirror'>, device: Device): string[] {
  const state = mirror.now;
  return [...state.values()].flatMap((entry) =>
    entry.parentId === null ? [] : [lineOfEntry(entry, pathOf(state, entry), device)],
  );
}

/** The first lines that only one side has, in words; `null` when both are equal. */
export function differ(server: readonly string[], disk: readonly string[]): string | null {
  const onServer = new Set(server);
  const onDisk = new Set(disk);
  const missing = server.filter((line) => !onDisk.has(line));
  const extra = disk.filter((line) => !onServer.has(line));
  if (missing.length + extra.length === 0) return null;
  return `the server has ${list(missing)} and the disk ${list(extra)}`;
}

function list(lines: readonly string[]): string {
  return lines.length === 0
    ? 'nothing more'
    : lines
        .slice(0, 4)
        .map((line) => `"${line}"`)
        .join(', ');
}
