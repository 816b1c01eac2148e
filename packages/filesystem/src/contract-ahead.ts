import { expect, it } from 'vitest';
import type { ContractTools } from './contract-tools.ts';
import type { Filesystem, ListedFolder, ListingAhead } from './filesystem.ts';

/** What every adapter that lists ahead must do. */
export function describeListingAhead({ filesystem, user }: ContractTools): void {
  function listAhead(): ListingAhead {
    const listing = filesystem().listAhead?.();
    if (listing === undefined) throw new Error('this adapter does not list ahead');
    listing.begin();
    return listing;
  }

  it('lists ahead what listing tells, in all folders', async () => {
    user().makeFolder('folder');
    user().makeFolder('folder/inner');
    user().makeFolder('empty');
    user().writeFile('folder/inner/ÿ 語', 'abc');
    user().writeFile('folder/new\nline', '');
    user().makeLink('link', 'folder');
    user().makeFifo('fifo');
    await filesystem().writeMarker('m');
    const listing = listAhead();
    for (const path of ['', 'folder', 'folder/inner', 'empty']) {
      const listed = await listing.take(path);
      expect(listed && (await asListed(filesystem(), path))).toEqual(listed && flat(listed));
      expect(listed).not.toBeNull();
    }
    for (const path of ['link', 'fifo', 'no', '.cairn', 'folder/inner/ÿ 語'])
      expect(await listing.take(path)).toBeNull();
    listing.close();
  });

  it('gives what was listed ahead once, and nothing after it was closed', async () => {
    user().makeFolder('folder');
    const listing = listAhead();
    expect(await listing.take('')).not.toBeNull();
    expect(await listing.take('')).toBeNull();
    listing.close();
    expect(await listing.take('folder')).toBeNull();
  });

  it('lists what is there when it begins, not when it was made', async () => {
    const listing = filesystem().listAhead?.();
    user().makeFolder('folder');
    listing?.begin();
    expect(await listing?.take('folder')).toMatchObject({ identity: expect.any(String) });
    listing?.close();
  });

  it('ends without having begun', async () => {
    const listing = filesystem().listAhead?.();
    const waiting = listing?.take('');
    listing?.close();
    expect(await waiting).toBeNull();
  });

  it('answers who waits for a folder when the look is ended', async () => {
    for (let index = 0; index < 20; index++) user().makeFolder(`folder ${index}`);
    const listing = listAhead();
    const waiting = [listing.take('folder 19'), listing.take('no'), listing.take('folder 19')];
    listing.close();
    const [, absent, again] = await Promise.all(waiting);
    expect(absent).toBeNull();
    expect(again).toBeNull();
  });
}

/** The folder as the port tells of it when it is asked now, in the order of names. */
async function asListed(filesystem: Filesystem, path: string): Promise<unknown> {
  const status = await filesystem.status(path);
  const items = await filesystem.list(path);
  return {
    identity: status?.identity,
    fingerprint: status?.fingerprint,
    items: items
      .map(({ name, status: item }) => ({
        name,
        kind: item?.kind,
        sizeBytes: item?.sizeBytes,
        identity: item?.identity,
        fingerprint: item?.fingerprint,
        device: item?.device,
      }))
      .sort(byName),
  };
}

function flat({ identity, fingerprint, items }: ListedFolder): unknown {
  return { identity, fingerprint, items: items().sort(byName) };
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}
