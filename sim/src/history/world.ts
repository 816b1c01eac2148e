import type { Mirror } from '../checks/mirror.ts';
import type { Value, Values } from '../checks/values.ts';
import type { Statistics } from '../statistics.ts';
import type { Trace } from '../trace.ts';
import type { Device } from '../world/device.ts';
import type { SimulatedServer } from '../world/server.ts';
import type { Timeline } from '../world/timeline.ts';
import type { Script } from './script.ts';

/** A world while its history runs: the server, the devices, and what the checkers know of them. */
export interface World {
  readonly script: Script;
  readonly timeline: Timeline;
  readonly trace: Trace;
  readonly statistics: Statistics;
  readonly server: SimulatedServer;
  readonly devices: readonly Device[];
  /** Brings a device that is not there yet into being, as a copy of the one at this index; `null` if there is none. */
  clone(index: number): Promise<Device | null>;
  /** Called with each device that comes into being later. */
  onDevice: (device: Device) => void;
  readonly values: Values;
  readonly mirror: Mirror;
  /** What was found to be wrong in the middle of something; the run ends with it at the next step. */
  failure: Error | null;
  /** Ids or agreements were lost on the way: a file may then be in two places. */
  hadUnion: boolean;
  /** A user made an equal file beside another. */
  hadCopies: boolean;
  /** What was once in a place that a device ignores: it stays there, and on the server where it was before, too. */
  readonly leftOut: Set<Value>;
  /** A user did something with a conflict copy: what has such a name may be anything. */
  hadHandledCopies: boolean;
  /** A process ended between a commit and its note of it: its own change then looks like somebody else's. */
  hadSuddenEnd: boolean;
  /** A disk once had two names in one folder that the server takes for one: a device may have renamed one of them. */
  hadClash: boolean;
}

/** Notes what is wrong; the first thing counts. */
export function fail(world: World, error: unknown): void {
  world.failure ??= error instanceof Error ? error : new Error(String(error));
}

/** How everything stands, for people. */
export function describeWorld(world: World): string {
  const { mirror } = world;
  const serverLines = [...mirror.paths(mirror.now)]
    .map(([path, entry]) => {
      if (entry.kind !== 'file') return `${path} ${entry.kind}`;
      const value = world.values.findByContentId(entry.content.contentId);
      return `${path} file ${value?.label ?? entry.content.contentId}${entry.executable ? ' x' : ''}`;
    })
    .sort();
  const lines = [`server at ${mirror.sequence}:`, ...serverLines.map((line) => `    ${line}`)];
  for (const device of world.devices) {
    const status = device.wasStarted ? device.engine.status() : null;
    lines.push(
      `${device.name} (${device.shape.disk}): ${device.isRunning ? '' : 'not running '}${
        status === null ? '' : `${status.state} at ${status.sequence}`
      } ${status?.trouble?.message ?? ''}`,
    );
    for (const problem of status?.problems ?? [])
      lines.push(`    problem ${problem.path}: ${problem.code} ${problem.message}`);
    for (const issue of status?.issues ?? []) lines.push(`    issue ${issue.path}: ${issue.code}`);
    for (const line of viewOf(world, device)) lines.push(`    ${line}`);
  }
  return lines.join('\n');
}

/** What a device's user sees, a line each. */
export function viewOf({ values }: Pick<World, 'values'>, device: Device): string[] {
  return device.disk.user
    .walk()
    .map((item) => {
      if (item.bytes === null)
        return `${item.path} ${item.kind}${item.target === null ? '' : ` ${item.target}`}`;
      return `${item.path} file ${values.find(item.bytes)?.label ?? '???'}${item.executable ? ' x' : ''}`;
    })
    .sort();
}
