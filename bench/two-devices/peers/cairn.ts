import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from '../../world/child-processes.ts';
import { askDaemonStatus } from '../../world/daemon-status.ts';
import { readUsage, resetPeak } from '../../world/process-usage.ts';
import { describeStatus, startWorld } from '../../world/two-device-world.ts';
import { mapRoles } from '../measurement.ts';
import type { PeerKind } from './peer.ts';

const SETTLE_POLL_MS = 50;
const START_POLL_MS = 5;

export const cairn: PeerKind = {
  name: 'cairn',
  description:
    'cairn serve and one cairn sync for each device, as they come; acknowledged means flushed to disk',
  findVersion() {
    const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  },
  refuse: () => null,
  async start({ work, wire, defer, timeoutMs, profileFolder }) {
    const world = await startWorld(work, {
      connect: (device, port) => wire.connect(device === 'a' ? 'a' : 'b', port),
      profileFolder,
    });
    defer(() => world.stop());
    const { server, deviceA, deviceB } = world;
    const programs = { server, a: deviceA.daemon, b: deviceB.daemon };

    async function settle(devices = [deviceA, deviceB], pollMs = SETTLE_POLL_MS): Promise<void> {
      for (const device of devices) {
        let said = 'nothing';
        try {
          await waitUntil(
            'it is in sync',
            timeoutMs,
            async () => {
              for (const { unexpectedEnds } of Object.values(programs))
                if (unexpectedEnds[0] !== undefined) throw new Error(unexpectedEnds[0]);
              const status = await askDaemonStatus(device.variables['CAIRN_HOME'] ?? '');
              said = describeStatus(status);
              if (status?.state === 'held') throw new Error('it holds deletes back');
              return status?.state === 'in-sync';
            },
            pollMs,
          );
        } catch (error) {
          throw new Error(`${device.daemon.name}: ${(error as Error).message}; it says ${said}`);
        }
      }
    }
    return {
      folderA: deviceA.folder,
      folderB: deviceB.folder,
      keeps: 'everything',
      isOwn: (name) => name === '.cairn',
      settle,
      readUsage: () => mapRoles((role) => readUsage(programs[role].processId)),
      resetPeaks() {
        for (const { processId } of Object.values(programs)) resetPeak(processId);
      },
      processOfA: () => deviceA.daemon.processId,
      async restartA() {
        await deviceA.daemon.stop();
        const startMs = performance.now();
        deviceA.daemon.launch();
        await settle([deviceA], START_POLL_MS);
        return performance.now() - startMs;
      },
    };
  },
};
