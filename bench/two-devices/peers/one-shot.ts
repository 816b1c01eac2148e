import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningProgram, runCommand } from '../../world/child-processes.ts';
import { type ProcessUsage, readTreePeaks, resetPeak } from '../../world/process-usage.ts';
import { addUsage, mapRoles, NO_USAGE, ROLES, type Role } from '../measurement.ts';
import type { Peer, PeerSetting } from './peer.ts';

export interface OneShotPlaces {
  readonly folderA: string;
  readonly folderB: string;
  readonly folderServer: string;
  readonly logPath: string;
}

/** Looking at every process is not free: only at each of so many samples. */
const SAMPLES_OF_A_LOOK = 4;

export interface OneShotCommand {
  readonly words: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly note?: string;
}

/** The folders of a peer whose commands run once and end. */
export function makePlaces(work: string): OneShotPlaces {
  const place = (name: string) => {
    const path = join(work, name);
    mkdirSync(path);
    return path;
  };
  return {
    folderA: place('a'),
    folderB: place('b'),
    folderServer: place('server'),
    logPath: join(work, 'log'),
  };
}

/**
 * A peer that pushes from A to its server and then pulls from there to B, one after the other.
 * @param server its program that stays
 * @param command what one device runs
 * @param forks whether children do the work, on both sides
 */
export function createOneShotPeer(
  program: string,
  places: OneShotPlaces,
  setting: PeerSetting,
  server: RunningProgram,
  command: (device: 'a' | 'b', keepsSize: boolean) => OneShotCommand,
  forks = false,
): Peer {
  const used: Record<Role, ProcessUsage> = { server: NO_USAGE, a: NO_USAGE, b: NO_USAGE };

  let samples = 0;

  /** Peaks of children are gone with them. */
  function look(device: 'a' | 'b', processId: number): void {
    if (samples++ % SAMPLES_OF_A_LOOK > 0) return;
    const [ofServer = 0, ofDevice = 0] = readTreePeaks([server.processId, processId]);
    used.server = addUsage(used.server, { cpuSeconds: 0, peakRssBytes: ofServer });
    used[device] = addUsage(used[device], { cpuSeconds: 0, peakRssBytes: ofDevice });
  }

  async function deliver(keepsSize: boolean): Promise<string | null> {
    let said: string | null = null;
    for (const device of ['a', 'b'] as const) {
      const { words, variables, note } = command(device, keepsSize);
      const usage = await runCommand(program, words, {
        ...(variables === undefined ? {} : { variables }),
        logPath: places.logPath,
        timeoutMs: setting.timeoutMs,
        ...(forks ? { onSample: (processId) => look(device, processId) } : {}),
      });
      used[device] = addUsage(used[device], usage);
      said = note ?? said;
    }
    return said;
  }
  return {
    folderA: places.folderA,
    folderB: places.folderB,
    keeps: 'contents',
    isOwn: () => false,
    deliver,
    settle: async () => server.requireRunning(),
    readUsage: () =>
      mapRoles((role) => (role === 'server' ? addUsage(server.readUsage(), used.server) : used[role])),
    resetPeaks() {
      resetPeak(server.processId);
      for (const role of ROLES) used[role] = { ...used[role], peakRssBytes: 0 };
    },
    async restartA() {
      const startMs = performance.now();
      await deliver(false);
      return performance.now() - startMs;
    },
  };
}
