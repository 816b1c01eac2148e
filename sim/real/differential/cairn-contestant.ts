import { keyOf } from '../driver/contents.ts';
import { createDiskStage } from '../driver/disk-stage.ts';
import { findUnreachable, type Kept } from '../driver/reachable.ts';
import { whyUnsettled } from '../driver/settled.ts';
import { type Contestant, waitUntil } from './contestant.ts';

const TIMEOUT_MS = 60_000;

/** Two engines on real folders and a server, as in the scenarios. */
export async function createCairnContestant(): Promise<Contestant> {
  const stage = await createDiskStage();
  const devices = [await stage.addDevice('A', {}), await stage.addDevice('B', {})] as const;
  return {
    name: 'Cairn',
    folders: [devices[0].folder, devices[1].folder],
    async rest() {
      for (const device of devices) await device.stop();
    },
    async sync() {
      for (const device of devices) await device.start();
      let why: string | null = null;
      await waitUntil(
        'Cairn is in sync',
        async () => {
          why = await whyUnsettled(devices, stage.view);
          return why === null;
        },
        TIMEOUT_MS,
      ).catch((error: Error) => {
        throw new Error(`${error.message}: ${why}`);
      });
    },
    async findInHistory(contents) {
      const kept: Kept = new Map();
      for (const content of contents)
        kept.set(await keyOf(Buffer.from(content)), { where: '', text: content });
      const lost = new Set(await findUnreachable(kept, devices, stage.view));
      // What is not found is told by its text.
      return new Set(
        contents.filter((content) => ![...lost].some((line) => line.includes(JSON.stringify(content)))),
      );
    },
    close: () => stage.close(),
  };
}
