import { afterEach, beforeEach, expect, test } from 'vitest';
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

const CONTENT = 'moved out of its folder';

/** Where the file is. */
function placesOf({ disk }: TestDevice): string[] {
  const holders = disk.user
    .walk()
    .filter(({ bytes }) => bytes !== null && Buffer.from(bytes).equals(Buffer.from(CONTENT)));
  return holders.map(({ path }) => path);
}

async function isOnServer(path: string): Promise<boolean> {
  const { data, principal } = world;
  return data.files.getByPath(principal, null, `/${path}`).then(
    () => true,
    () => false,
  );
}

/** Somebody else makes a file under a name. */
async function occupy(path: string, content: string): Promise<void> {
  const bytes = async function* () {
    yield new TextEncoder().encode(content);
  };
  await world.data.files.putFile(world.principal, `/${path}`, bytes(), {});
}

test('a file that was moved out of a removed folder is never gone elsewhere, however often its new place is refused [S-14 S-46]', async () => {
  a.disk.user.makeFolder('d');
  a.disk.user.writeFile('d/x', CONTENT);
  a.disk.user.writeFile('d/rest', 'removed with the folder');
  a.start();
  b.start();
  await world.settle([a, b]);
  let isGone = false;
  b.disk.onUse = () => {
    isGone ||= placesOf(b).length === 0;
  };
  // Before each commit the other device shows all that came of those before, and the new folder's name is taken.
  let taken = 0;
  a.network.gate = async (request) => {
    if (request !== 'commit') return;
    await world.until('the other device follows', async () => {
      const { state, sequence } = b.engine.status();
      return state === 'in-sync' && sequence === (await world.sequence());
    });
    if (taken < 3 && !(await isOnServer('e'))) await occupy('e', `somebody else's, ${++taken}`);
  };
  a.disk.user.makeFolder('e');
  a.disk.user.rename('d/x', 'e/x');
  a.disk.user.remove('d');
  await world.until('the folder is gone', () => b.disk.user.find('d') === null);
  await world.until('the file is there', () => b.disk.user.find('e')?.kind === 'folder');
  a.network.gate = null;
  await world.settle([a, b]);
  expect(taken).toBe(3);
  expect(isGone).toBe(false);
  expect(placesOf(b)).toEqual(['e/x']);
});
