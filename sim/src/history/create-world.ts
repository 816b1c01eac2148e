import { chooseProfile, createNodePlatform, describeContent } from '@cairn/content';
import { checkCommit } from '../checks/commits.ts';
import { Mirror, removedIn } from '../checks/mirror.ts';
import { Values } from '../checks/values.ts';
import { createSeededChance, deriveSeed } from '../random.ts';
import { Statistics } from '../statistics.ts';
import { Trace } from '../trace.ts';
import { Device, type DeviceShape } from '../world/device.ts';
import { SimulatedServer } from '../world/server.ts';
import { Timeline } from '../world/timeline.ts';
import { environmentOf, listeningLog } from '../world/world-environment.ts';
import type { Script } from './script.ts';
import { fail, type World } from './world.ts';

const platform = createNodePlatform();

export async function createWorld(script: Script, onLine: ((line: string) => void) | null): Promise<World> {
  const { seed } = script;
  const timeline = new Timeline();
  const trace = new Trace(() => timeline.nowMs, onLine);
  const statistics = new Statistics();
  const log = listeningLog((level, event, fields) => {
    trace.note(`server log ${event}`);
    if (level !== 'debug') statistics.count(`log:${event}`);
    if (level === 'error') trace.tell(`server: ${event} ${JSON.stringify(fields)}`);
  });
  const server = await SimulatedServer.start(
    timeline,
    environmentOf(timeline, createSeededChance(deriveSeed(seed, 'server')), { log }),
  );
  const values = new Values(async (bytes) => {
    const source = {
      async read(into: Uint8Array, position: number) {
        const piece = bytes.subarray(position, position + into.length);
        into.set(piece);
        return piece.length;
      },
    };
    return (await describeContent(platform, source, { profile: chooseProfile(bytes.length, null) }))
      .contentId;
  });
  values.write(new Uint8Array(0), 'empty', true);
  const deviceWorld = { seed, timeline, trace, statistics, server };
  function createDevice(shape: DeviceShape, index: number): Device {
    const signedIn = server.signIns[index];
    if (signedIn === undefined) throw new Error(`nobody signed ${shape.name} in`);
    return new Device(deviceWorld, shape, signedIn);
  }
  const devices: Device[] = [];
  for (const [index, shape] of script.devices.entries())
    if (shape.cloneOf === null) devices.push(createDevice(shape, index));
  const mirror = new Mirror(server.rootId);
  const world: World = {
    script,
    timeline,
    trace,
    statistics,
    server,
    devices,
    onDevice: () => undefined,
    async clone(index) {
      const original = devices[index];
      const shape = script.devices.find(({ cloneOf }) => cloneOf === index);
      if (original === undefined || shape === undefined) return null;
      if (devices.some((device) => device.shape === shape)) return null;
      const copy = createDevice(shape, index);
      await copy.becomeCopyOf(original);
      devices.push(copy);
      world.onDevice(copy);
      return copy;
    },
    values,
    mirror,
    failure: null,
    hadUnion: false,
    hadCopies: false,
    leftOut: new Set(),
    hadHandledCopies: false,
    hadSuddenEnd: false,
    hadClash: false,
  };
  const { principal, spaceId } = server;
  await mirror.reset(server.services.data, principal, spaceId);
  server.observe = async (who, changeset, outcome) => {
    try {
      const before = await mirror.follow(server.services.data, principal, spaceId);
      checkCommit(world, {
        deviceId: who.deviceId,
        changeset,
        outcome,
        before,
        removed: removedIn(changeset),
      });
    } catch (error) {
      fail(world, error);
    }
  };
  return world;
}
