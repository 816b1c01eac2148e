import { foldName } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ROOT_ID, testContent, testEntryId } from '../contract-fixture.ts';
import { packContent } from './packed-content.ts';
import { localCodec, observationOf, type PackedNode, remoteCodec, type StoredEntry } from './packed-node.ts';
import { DamagedStore } from './persistence.ts';
import { createSettledEntries, type SettledEntries } from './settled-entries.ts';

interface Facts {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  readonly isFolder: boolean;
  readonly sequence: number;
  readonly modifiedAtUs: number;
  readonly parts: number;
  readonly identity: string;
}

function entryOf({ id, parent, name, isFolder, parts, identity, ...facts }: Facts): StoredEntry {
  const remote: PackedNode = {
    entryId: testEntryId(id),
    parentId: testEntryId(parent),
    name,
    kind: isFolder ? 'folder' : 'file',
    executable: !isFolder && id % 2 === 0,
    content: isFolder ? null : packContent(testContent(id, parts)),
    target: null,
    versionId: isFolder ? null : (`${id}`.padStart(26, 'v') as never),
    observation: null,
    marks: null,
    ...facts,
  };
  const observed = {
    state: 'known',
    sizeBytes: id,
    identity,
    fingerprint: isFolder ? '' : `${id}:-5`,
  } as const;
  const local = { ...remote, sequence: 0, versionId: null, observation: observationOf(observed) };
  return { remote, local, synced: remote };
}

const facts: fc.Arbitrary<Facts> = fc.record({
  id: fc.integer({ min: 1, max: 12 }),
  parent: fc.integer({ min: 0, max: 3 }),
  name: fc.oneof(
    fc.string({ minLength: 1, maxLength: 90, unit: 'grapheme' }),
    fc.constantFrom('a', 'A', '\ud800'),
  ),
  isFolder: fc.boolean(),
  sequence: fc.maxSafeNat(),
  modifiedAtUs: fc.maxSafeInteger(),
  parts: fc.constantFrom(0, 1, 3, 300),
  identity: fc.oneof(
    fc.stringMatching(/^[0-9:]{1,40}$/),
    fc.string({ maxLength: 20 }),
    fc.constant('ü'.repeat(300)),
  ),
});

const plain: Facts = {
  id: 1,
  parent: 0,
  name: 'a',
  isFolder: false,
  sequence: 1,
  modifiedAtUs: 2,
  parts: 1,
  identity: '1:2',
};

const what = fc.constantFrom('add', 'add', 'add', 'remove', 'remove', 'store', 'reopen');

function load(stored: ReadonlyMap<number, Uint8Array>): SettledEntries {
  const settled = createSettledEntries();
  for (const page of [...stored.keys()].sort((one, other) => one - other))
    settled.load({ page, rows: stored.get(page) as Uint8Array });
  settled.finishLoading();
  return settled;
}

/** Nothing changes while these are gone through. */
function neverAsked(): never {
  throw new Error('an entry that is settled was not given');
}

describe('settled entries', () => {
  it('give back exactly what was put in, whatever else comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(what, facts), { maxLength: 60 }), (history) => {
        let settled = createSettledEntries();
        const model = new Map<string, StoredEntry>();
        const stored = new Map<number, Uint8Array>();
        for (const [next, own] of history) {
          if (next === 'store' || next === 'reopen') {
            for (const { page, rows } of settled.changedPages()) {
              if (rows.length === 0) stored.delete(page);
              else stored.set(page, rows);
            }
            settled.forgetChangedPages();
            expect(settled.changedPages()).toEqual([]);
          }
          if (next === 'reopen') settled = load(stored);
          if (next === 'store' || next === 'reopen') continue;
          const isRemoval = next === 'remove';
          const entry = entryOf(own);
          const entryId = testEntryId(own.id);
          const before = model.get(entryId);
          if (isRemoval || before !== undefined) {
            const { remote, local } = before ?? {};
            expect(settled.remove(entryId)).toEqual(before === undefined ? undefined : { remote, local });
            model.delete(entryId);
          } else if (settled.add(entry)) {
            model.set(entryId, entry);
          } else {
            expect(
              own.parts > 3 ||
                own.identity.length > 200 ||
                !own.name.isWellFormed() ||
                /[^\0-\xff]/.test(own.identity) ||
                Buffer.byteLength(own.name) > 255,
            ).toBe(true);
          }
        }
        expect(settled.size).toBe(model.size);
        expect(settled.ids().sort()).toEqual([...model.keys()].sort());
        const entries = [...model.values()];
        for (const isLocal of [true, false]) {
          const expected = entries.map((entry) => (isLocal ? entry.local : entry.remote));
          const found = [...settled.sketches(isLocal, neverAsked)].map((row) => row.toPacked());
          const byId = (a: PackedNode | undefined, b: PackedNode | undefined) =>
            (a?.entryId ?? '') < (b?.entryId ?? '') ? -1 : 1;
          expect(found.sort(byId)).toEqual(expected.sort(byId));
        }
        for (let parent = 0; parent <= 3; parent++) {
          const parentId = testEntryId(parent);
          const children = entries.filter(({ remote }) => remote?.parentId === parentId);
          const idsOf = (some: StoredEntry[]) => some.map(({ remote }) => remote?.entryId).sort();
          expect(settled.children(parentId).sort()).toEqual(idsOf(children));
          const named = children.filter(({ remote }) => foldName(remote?.name ?? '') === 'a');
          expect(settled.named(parentId, 'a').sort()).toEqual(idsOf(named));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('leaves alone what the trees do not agree on, and what has more to it', () => {
    const { remote, local } = entryOf(plain) as { remote: PackedNode; local: PackedNode };
    const others: StoredEntry[] = [
      { remote, local, synced: undefined },
      { remote, local: undefined, synced: remote },
      { remote: undefined, local, synced: remote },
      { remote, local, synced: { ...remote, sequence: 2 } },
      { remote, local: { ...local, name: 'b' }, synced: remote },
      { remote, local: { ...local, modifiedAtUs: 3 }, synced: remote },
      { remote, local: { ...local, content: null }, synced: remote },
      { remote, local: { ...local, observation: `u${local.observation?.slice(1)}` }, synced: remote },
      { remote, local: { ...local, marks: '{}' }, synced: remote },
      { remote: { ...remote, marks: '{}' }, local, synced: remote },
    ];
    const settled = createSettledEntries();
    for (const entry of others) expect(settled.add(entry)).toBe(false);
    expect([settled.size, settled.has(testEntryId(1)), settled.children(ROOT_ID)]).toEqual([0, false, []]);
    expect(settled.add({ remote, local, synced: { ...remote } })).toBe(true);
    expect([settled.size, settled.has(testEntryId(1))]).toEqual([1, true]);
  });

  it('finds each of many while they come and go again and again', () => {
    const settled = createSettledEntries();
    const add = (id: number) =>
      settled.add(
        entryOf({
          id,
          parent: id % 7,
          name: `n${id}`,
          isFolder: false,
          sequence: id,
          modifiedAtUs: id,
          parts: 1,
          identity: `1:${id}`,
        }),
      );
    for (let id = 1; id <= 8000; id++) expect(add(id)).toBe(true);
    for (let round = 0; round < 5; round++)
      for (let id = 1 + round; id <= 8000; id += 3) {
        expect(settled.remove(testEntryId(id))?.local.observation).toContain(`1:${id}`);
        if (round < 4) add(id);
      }
    let count = 0;
    for (let id = 1; id <= 8000; id++) {
      const found = settled.sketch(testEntryId(id), true);
      if ((id - 5) % 3 === 0 && id >= 5) expect(found).toBeUndefined();
      else expect([found?.entryId, found?.name]).toEqual([testEntryId(id), `n${id}`]);
      if (found !== undefined) count++;
    }
    expect(settled.size).toBe(count);
  });

  it('are stored in pages, each of which is written again for what changed in it alone', () => {
    const settled = createSettledEntries();
    const entry = (id: number) => entryOf({ ...plain, id, parent: id % 7, name: `n${id}`, sequence: id });
    for (let id = 1; id <= 1000; id++) settled.add(entry(id));
    const stored = new Map(settled.changedPages().map(({ page, rows }) => [page, rows]));
    expect(stored.size).toBe(Math.ceil(1000 / 64));
    settled.forgetChangedPages();
    settled.remove(testEntryId(70));
    settled.remove(testEntryId(1000));
    settled.add(entry(1000));
    const changed = settled.changedPages();
    expect(changed.map(({ page }) => page)).toEqual([1, 15]);
    for (const { page, rows } of changed) stored.set(page, rows);
    const again = load(stored);
    expect([again.size, again.has(testEntryId(70))]).toEqual([999, false]);
    expect(again.sketch(testEntryId(1000), true)?.toPacked()).toEqual(entry(1000).local);
    // Gaps are filled before there are more pages.
    for (let id = 2000; id < 2024; id++) again.add(entry(id));
    expect(Math.max(...again.changedPages().map(({ page }) => page))).toBe(15);
  });

  it('refuse pages that are damaged, whatever is in them', () => {
    const settled = createSettledEntries();
    for (let id = 1; id <= 3; id++) settled.add(entryOf({ ...plain, id }));
    const rows = settled.changedPages()[0]?.rows as Uint8Array;
    const tryLoad = (pages: readonly { page: number; rows: Uint8Array }[]) => {
      const fresh = createSettledEntries();
      for (const page of pages) fresh.load(page);
      fresh.finishLoading();
      return fresh.ids().map((entryId) => ({
        remote: fresh.sketch(entryId, false)?.toPacked() as PackedNode,
        local: fresh.sketch(entryId, true)?.toPacked() as PackedNode,
      }));
    };
    expect(tryLoad([{ page: 0, rows }])).toHaveLength(3);
    for (const pages of [
      [{ page: -1, rows }],
      [{ page: 2 ** 30, rows }],
      [
        { page: 0, rows },
        { page: 1, rows },
      ],
      [{ page: 0, rows: Buffer.concat(Array.from({ length: 30 }, () => rows)) }],
    ])
      expect(() => tryLoad(pages)).toThrow(DamagedStore);
    const { remote, local } = entryOf(plain) as { remote: PackedNode; local: PackedNode };
    for (const wrong of [{ versionId: null }, { sequence: 1.5 }, { modifiedAtUs: Number.NaN }]) {
      const [there, here] = [
        { ...remote, ...wrong },
        { ...local, modifiedAtUs: wrong.modifiedAtUs ?? local.modifiedAtUs },
      ];
      const other = createSettledEntries();
      expect(other.add({ remote: there, local: here, synced: there })).toBe(true);
      expect(() => tryLoad(other.changedPages())).toThrow(DamagedStore);
    }
    const rowEnds = [0, 1, 2, 3].map((count) => (rows.length / 3) * count);
    fc.assert(
      fc.property(fc.nat(rows.length - 1), fc.nat(rows.length - 1), fc.nat(255), (end, at, value) => {
        if (!rowEnds.includes(end))
          expect(() => tryLoad([{ page: 0, rows: rows.subarray(0, end) }])).toThrow(DamagedStore);
        const other = Buffer.from(rows);
        other[at] = value;
        try {
          // What can be told from nothing else is taken for true; what cannot be read never is.
          for (const { remote, local } of tryLoad([{ page: 0, rows: other }])) {
            expect(localCodec.unpack(local).state).toBe('known');
            expect(Number.isSafeInteger(remoteCodec.unpack(remote).sequence)).toBe(true);
            expect(Number.isSafeInteger(local.modifiedAtUs)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedStore);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
