import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OtherDevice } from './other-device.ts';
import { drawPictures } from './pictures.ts';
import { connectCommandLine } from './synced-device.ts';
import { random } from './test-folder.ts';
import { poll, type WebWorld } from './web-world.ts';

const HOUR_MS = 3_600_000;
const KIB = 1024;

export const PLAN = '/Projects/Garden shed/Plan.md';

const PLAN_AT_FIRST = `# Garden shed

A shed of **3 × 4 m** behind the apple tree.

- [x] Ask the neighbours
- [ ] Order timber
- [ ] Pour the foundation
`;
const PLAN_LATER = PLAN_AT_FIRST.replace('3 × 4 m', '2.5 × 4 m').replace('[ ] Order', '[x] Order');
const PLAN_NOW = `${PLAN_LATER.replace('- [ ] Pour the foundation', '- [x] Pour the foundation (12 bags of cement)')}- [ ] Roof before the first frost

| Part     | Where from | Price |
|----------|------------|------:|
| Timber   | Sawmill    |   840 |
| Roofing  | Hardware   |   310 |
| Window   | Second hand |   45 |
`;

/** An account that has been in use for weeks, from several devices, as pictures of the app should show it. */
export async function makeLivedInAccount(world: WebWorld, username: string): Promise<void> {
  const pictures = await drawPictures(world.browser);
  const picture = (name: string) => pictures[name] ?? Buffer.alloc(0);
  const { setBack, url } = world.server;
  const devices = new Map<string, OtherDevice>();

  /** Some things that a device did this long ago. */
  async function ago(
    hours: number,
    name: string,
    act: (device: OtherDevice) => Promise<void>,
  ): Promise<void> {
    await setBack(hours * HOUR_MS);
    const known = devices.get(name);
    if (known !== undefined) await known.renew();
    const device =
      known ??
      (devices.size === 0 ? await world.register(username, name) : await world.connect(username, name));
    devices.set(name, device);
    await act(device);
  }
  async function trash(device: OtherDevice, path: string): Promise<void> {
    await device.ask('DELETE', `/files/${(await device.find(path)).entryId}`);
  }

  await ago(24 * 23, 'Anna’s laptop', async (laptop) => {
    await laptop.put('/Documents/Contracts/Lease 2026.pdf', random(412 * KIB));
    await laptop.put('/Documents/Contracts/Insurance.pdf', random(233 * KIB));
    await laptop.put('/Documents/Budget 2026.xlsx', random(38 * KIB));
    await laptop.put('/Documents/Letter to the landlord.docx', random(21 * KIB));
    await laptop.put('/Music/Demo take 3.flac', random(4200 * KIB));
    await laptop.put('/Recipes/Käsespätzle.md', '# Käsespätzle\n\n400 g flour, 5 eggs, 200 g cheese\n');
    await laptop.put('/Reading list.md', '- The Dispossessed\n- Piranesi\n');
  });
  await ago(24 * 19, 'Phone', async (phone) => {
    await phone.put('/Photos/Lake Garda/IMG_2041.jpg', picture('dawn'));
    await phone.put('/Photos/Lake Garda/IMG_2042.jpg', picture('sea'));
    await phone.put('/Photos/Lake Garda/IMG_2047.jpg', picture('noon'));
    await phone.put('/Photos/Lake Garda/IMG_2053.jpg', picture('dusk'));
  });
  await ago(24 * 15, 'Anna’s laptop', async (laptop) => {
    await laptop.put(PLAN, PLAN_AT_FIRST);
    await laptop.put('/Projects/Garden shed/Materials.csv', 'part;count\nbeam;14\nboard;60\n');
    await laptop.put('/Projects/Garden shed/Sketch.jpg', picture('autumn'));
  });
  await ago(24 * 12, 'Phone', async (phone) => {
    await phone.put('/Photos/Winter walk.jpg', picture('winter'));
    await phone.put('/Photos/Autumn in the valley.jpg', picture('autumn'));
  });
  await ago(24 * 9, 'Anna’s laptop', async (laptop) => {
    await laptop.put(PLAN, PLAN_LATER);
    await laptop.put('/Projects/Garden shed/Offers/Sawmill.pdf', random(96 * KIB));
    await laptop.put('/Projects/Garden shed/Offers/Hardware store.pdf', random(120 * KIB));
  });
  await ago(24 * 6 + 3, 'Studio PC', async (studio) => {
    await studio.put('/Team meeting.mp4', random(9000 * KIB));
    await studio.put('/Welcome.jpg', picture('noon'));
    await studio.put('/Sunset over the harbour.jpg', picture('dusk'));
    await studio.put('/Documents/Old tax return.pdf', random(300 * KIB));
  });
  await ago(24 * 4, 'Phone', async (phone) => {
    await phone.put('/Projects/Garden shed/Foundation.jpg', picture('noon'));
    await phone.put('/Reading list.md', '- The Dispossessed\n- Piranesi\n- The Left Hand of Darkness\n');
    await trash(phone, '/Documents/Old tax return.pdf');
  });
  await ago(27, 'Studio PC', async (studio) => {
    await studio.put(PLAN, PLAN_NOW);
    await studio.put('/Trip to Lisbon.md', '# Lisbon\n\nTrain on Friday, back on Tuesday.\n');
    await studio.put('/Backup keys.kdbx', random(3 * KIB));
  });
  await ago(5, 'Studio PC', async (studio) => {
    await trash(studio, '/Projects/Garden shed/Offers');
    await trash(studio, '/Projects/Garden shed/Sketch.jpg');
    await studio.put('/Projects/Garden shed/Materials.csv', 'nothing left');
    await studio.ask(
      'PATCH',
      `/files/${(await studio.find('/Projects/Garden shed/Foundation.jpg')).entryId}`,
      {
        name: 'Foundation (old).jpg',
      },
    );
    await studio.put('/Projects/Garden shed/New idea.md', 'Perhaps a greenhouse instead?\n');
    await trash(studio, '/Recipes/Käsespätzle.md');
  });
  await setBack(0);
  const laptop = devices.get('Anna’s laptop');
  await laptop?.renew();
  await laptop?.makeFolder('/To sort');
  const workshop = await connectCommandLine(url, username, 'Workshop');
  const file = join(workshop.folder, 'Trip to Lisbon.md');
  workshop.startSync();
  await poll(() => readFile(file, 'utf8').catch(() => '')).toContain('Tuesday');
  await workshop.stopSync();
  await writeFile(file, '# Lisbon\n\nTrain on Friday, back on Wednesday.\nBring the camera.\n');
  await laptop?.put('/Trip to Lisbon.md', '# Lisbon\n\nNight train on Thursday, back on Tuesday.\n');
  workshop.startSync();
  await poll(async () => (await laptop?.names())?.filter((name) => name.startsWith('Trip')).length).toBe(2);
  await workshop.stopSync();
}
