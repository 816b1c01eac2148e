import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestWorld, type TestDevice, type TestWorld } from './testing/world.ts';

let world: TestWorld;
let a: TestDevice;
let b: TestDevice;

beforeEach(async () => {
  world = await createTestWorld();
  a = await world.addDevice('Laptop');
  b = await world.addDevice('Desktop');
});
afterEach(() => world.close());

const text = (device: TestDevice, path: string) => new TextDecoder().decode(device.disk.user.readFile(path));
const hasLog = () => b.disk.user.describe().some((line) => line.startsWith('log file'));

describe('files that change all the time [S-66]', () => {
  test('T029 T117 one that grows every few milliseconds is sent now and then, never torn, and holds up nothing', async () => {
    a.start();
    b.start();
    await world.settle([a, b]);
    const line = (index: number) => `line ${String(index).padStart(6, '0')}\n`;
    let written = 0;
    let content = '';
    const grow = () => {
      content += line(written++);
      a.disk.user.writeFile('log', content);
    };
    const writer = setInterval(grow, 3);
    try {
      a.disk.user.writeFile('other', 'must not wait');
      await world.until('the other file is there', () =>
        b.disk.user.describe().some((each) => each.startsWith('other file')),
      );
      await world.until('something of the log is there', hasLog);
      const seen = text(b, 'log').length;
      await world.until('more of it is there', () => text(b, 'log').length > seen);
    } finally {
      clearInterval(writer);
    }
    // Nothing but whole lines, in order: what the file was at one moment.
    expect(content.startsWith(text(b, 'log'))).toBe(true);
    expect(text(b, 'log').length % line(0).length).toBe(0);
    await world.settle([a, b]);
    expect(text(b, 'log')).toBe(content);
    const { entry } = await world.data.files.getByPath(world.principal, null, '/log');
    expect((await world.data.files.listVersions(world.principal, entry.entryId)).length).toBeLessThan(60);
  }, 40_000);

  test('T022 one that is rewritten in place all the time is never a mixture, and comes when it rests', async () => {
    a.start();
    b.start();
    await world.settle([a, b]);
    let round = 0;
    const writer = setInterval(() => a.disk.user.writeFile('log', String(round++ % 10).repeat(100_000)), 3);
    try {
      a.disk.user.writeFile('other', 'must not wait');
      await world.until('the other file is there', () =>
        b.disk.user.describe().some((each) => each.startsWith('other file')),
      );
      await new Promise((resolve) => setTimeout(resolve, 3000));
    } finally {
      clearInterval(writer);
    }
    await world.settle([a, b]);
    expect(new Set(text(b, 'log')).size).toBe(1);
    const { entry } = await world.data.files.getByPath(world.principal, null, '/log');
    for (const { versionId } of await world.data.files.listVersions(world.principal, entry.entryId)) {
      const file = await world.data.files.openFile(world.principal, entry.entryId, { versionId });
      let whole = '';
      for await (const bytes of file.read({ start: 0, end: file.sizeBytes }))
        whole += new TextDecoder().decode(bytes);
      expect(new Set(whole).size).toBe(1);
    }
  }, 40_000);
});
