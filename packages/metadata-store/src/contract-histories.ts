import { type EntryId, foldName, type SpaceId } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addAccount, file, folder, id, trashRecord, version } from './contract-fixture.ts';
import { createModel, type Model, ModelRefusal } from './contract-model.ts';
import { InvalidStateError } from './invalid-state.ts';
import type { MetadataStore, MetadataTransaction } from './metadata-store.ts';
import type { EntryRecord } from './records.ts';

const NAMES = ['a', 'A', 'b', 'ä', 'Ä', 'c'];
const POOL = Array.from({ length: 9 }, (_, index) => id<EntryId>(`e${index}`));

/** Numbers stand for choices that are made when the state is known, so that most operations can work. */
interface Step {
  readonly do:
    | 'insert'
    | 'rename'
    | 'move'
    | 'swap'
    | 'vacate'
    | 'trash'
    | 'restore'
    | 'revive'
    | 'edit'
    | 'wild';
  readonly picks: readonly number[];
}

const steps: fc.Arbitrary<Step> = fc.record({
  do: fc.oneof(
    { weight: 6, arbitrary: fc.constant('insert' as const) },
    { weight: 3, arbitrary: fc.constantFrom('rename', 'move', 'swap', 'restore', 'revive') },
    { weight: 2, arbitrary: fc.constantFrom('trash') },
    { weight: 1, arbitrary: fc.constantFrom('vacate', 'edit', 'wild') },
  ) as fc.Arbitrary<Step['do']>,
  picks: fc.array(fc.nat({ max: 1000 }), { minLength: 8, maxLength: 8 }),
});
const histories = fc.array(fc.array(steps, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 14 });

/** One operation on both sides; the model throws {@link ModelRefusal} where the store must refuse. */
interface Operation {
  readonly text: string;
  onModel(model: Model): void;
  onStore(transaction: MetadataTransaction): Promise<void>;
}

function update(entries: readonly EntryRecord[]): Operation {
  return {
    text: `update ${entries.map((entry) => `${entry.entryId.slice(0, 2)} as ${entry.name} in ${entry.parentId?.slice(0, 2)}`)}`,
    onModel: (model) => model.update(entries),
    onStore: (transaction) => transaction.updateEntries(entries),
  };
}

function both(...operations: readonly Operation[]): Operation {
  return {
    text: operations.map((operation) => operation.text).join(' then '),
    onModel(model) {
      for (const operation of operations) operation.onModel(model);
    },
    async onStore(transaction) {
      for (const operation of operations) await operation.onStore(transaction);
    },
  };
}

function vacate(spaceId: SpaceId, entryIds: readonly EntryId[]): Operation {
  return {
    text: `vacate ${entryIds}`,
    onModel: (model) => model.vacate(entryIds),
    onStore: (transaction) => transaction.vacateNames(spaceId, entryIds),
  };
}

/** Makes an operation of a step as the model stands; `null` when there is nothing that it could be about. */
function choose(step: Step, model: Model, spaceId: SpaceId, sequence: number): Operation | null {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = step.picks;
  const pick = <Item>(items: readonly Item[], number: number): Item | undefined =>
    items[number % items.length];
  const entries = [...model.entries.values()];
  const live = entries.filter((entry) => entry.trashId === null && entry.parentId !== null);
  // One time in ten anything may be the folder: a file, the entry itself, something in the trash, nothing.
  const folders = entries.filter((entry) => entry.trashId === null && entry.kind === 'folder');
  const parentId =
    third % 10 === 0
      ? (pick([...POOL, model.rootId], fourth) as EntryId)
      : (pick(folders, third) as EntryRecord).entryId;
  const name = pick(NAMES, second) as string;

  switch (step.do) {
    case 'insert': {
      const entryId = pick(first % 10 === 0 ? POOL : POOL.filter((one) => !model.entries.has(one)), first);
      if (entryId === undefined) return null;
      const record =
        fifth % 3 === 0
          ? file(name, parentId, { spaceId, entryId, versionId: id(`v${entryId}`), sequence })
          : folder(name, parentId, { spaceId, entryId, sequence });
      const saved = version('', { spaceId, entryId, versionId: id(`v${entryId}`) });
      return {
        text: `insert ${record.kind} ${entryId.slice(0, 2)} as ${name} in ${parentId.slice(0, 2)}`,
        onModel: (own) => own.insert(record),
        async onStore(transaction) {
          await transaction.insertEntries([record]);
          if (record.kind === 'file') await transaction.insertVersions([saved]);
        },
      };
    }
    case 'rename':
    case 'move':
    case 'edit': {
      const entry = pick(step.do === 'edit' ? entries : live, first);
      if (entry === undefined) return null;
      // An edit may also go back in its sequence, or bring the root or a trashed entry into play.
      if (step.do === 'edit') {
        return update([
          { ...entry, trashId: null, sequence: second % 4 === 0 ? entry.sequence - 1 : sequence },
        ]);
      }
      return update([{ ...entry, sequence, ...(step.do === 'rename' ? { name } : { parentId }) }]);
    }
    case 'swap': {
      const one = pick(live, first);
      const other = pick(live, second);
      if (one === undefined || other === undefined || one === other) return null;
      const swapped = [
        { ...one, sequence, parentId: other.parentId, name: other.name },
        { ...other, sequence, parentId: one.parentId, name: one.name },
      ] as const;
      if (third % 2 === 0) return update(swapped);
      return both(vacate(spaceId, [one.entryId, other.entryId]), update([swapped[0]]), update([swapped[1]]));
    }
    case 'vacate':
      return vacate(spaceId, [pick(POOL, first) as EntryId, pick(POOL, second) as EntryId]);
    case 'trash': {
      const entryId = first % 10 === 0 ? pick(POOL, second) : pick(live, first)?.entryId;
      if (entryId === undefined) return null;
      const record = trashRecord(name, { spaceId, entryId, parentId, path: `/somewhere/${name}`, sequence });
      return {
        text: `trash ${entryId.slice(0, 2)}`,
        onModel: (own) => own.trash(record),
        onStore: (transaction) => transaction.trashSubtree(record),
      };
    }
    case 'restore': {
      const item = pick([...model.trashed.values()], first);
      const entryId = first % 10 === 0 ? pick(POOL, second) : item?.entryId;
      if (entryId === undefined) return null;
      return {
        text: `restore ${entryId.slice(0, 2)} as ${name} in ${parentId.slice(0, 2)}`,
        onModel: (own) => own.restore(entryId, parentId, name, sequence),
        onStore: (transaction) => transaction.restoreSubtree(spaceId, entryId, parentId, name, sequence),
      };
    }
    case 'revive':
    case 'wild': {
      const trashed = entries.filter((entry) => entry.trashId !== null);
      const pool = step.do === 'wild' ? entries.filter((entry) => entry.parentId !== null) : trashed;
      const chosen = new Set([pick(pool, first), pick(pool, second), pick(pool, fifth)]);
      const batch = [...chosen].filter((entry) => entry !== undefined);
      if (batch.length === 0) return null;
      return update(
        batch.map((entry, index) => {
          // Into the batch's own folders as often as elsewhere.
          const inside = pick(batch, fourth + index) as EntryRecord;
          const stay = fourth % 2 === 0 && inside !== entry && inside.kind === 'folder';
          const newParent = stay ? inside.entryId : index === 0 ? parentId : (entry.parentId ?? model.rootId);
          return {
            ...entry,
            trashId: null,
            sequence,
            parentId: newParent,
            name: pick(NAMES, second + index) as string,
          };
        }),
      );
    }
  }
}

async function expectEqual(store: MetadataStore, model: Model, spaceId: SpaceId): Promise<void> {
  await store.read(async (reader) => {
    const ids = [model.rootId, ...POOL];
    const rows = await reader.getEntries(spaceId, ids);
    expect(rows).toEqual(ids.map((entryId) => model.entries.get(entryId)));
    const sorted = (records: Iterable<{ entryId: EntryId }>): unknown =>
      [...records].sort((one, other) => (one.entryId < other.entryId ? -1 : 1));
    expect(sorted(await reader.listTrash(spaceId, 100, 0))).toEqual(sorted(model.trashed.values()));
    for (const top of [model.rootId, ...model.trashed.keys()]) {
      expect(sorted(await reader.listSubtree(spaceId, top))).toEqual(sorted(model.subtree(top)));
    }
    for (const entry of model.entries.values()) {
      if (entry.trashId !== null || entry.parentId === null) continue;
      expect(await reader.findChild(spaceId, entry.parentId, foldName(entry.name))).toEqual(entry);
    }
  });
}

/** Part of the contract: entries equal a simple model through any history, valid or not. */
export function describeHistories(getStore: () => MetadataStore): void {
  describe('histories of entries', () => {
    it('equal a simple model, and what the model refuses leaves no trace', async () => {
      let run = 0;
      const counts = { done: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(histories, async (history) => {
          const store = getStore();
          const account = `h${run++}`;
          const spaceId = id<SpaceId>(`space${account}`);
          await store.transact((transaction) => addAccount(transaction, account, spaceId));
          let model = createModel(spaceId, id<EntryId>(`root${account}`));
          for (const [index, planned] of history.entries()) {
            const next = model.copy();
            const operations: Operation[] = [];
            let refused = false;
            try {
              for (const step of planned) {
                const operation = choose(step, next, spaceId, index + 1);
                if (operation === null) continue;
                operations.push(operation);
                operation.onModel(next);
              }
              next.check();
            } catch (error) {
              if (!(error instanceof ModelRefusal)) throw error;
              refused = true;
            }
            const outcome = await store
              .transact(async (transaction) => {
                for (const operation of operations) await operation.onStore(transaction);
              })
              .then(
                () => null,
                (error: unknown) => error,
              );
            if (outcome !== null) expect(outcome).toBeInstanceOf(InvalidStateError);
            const what = operations.map((operation) => operation.text).join('; ');
            expect([what, (outcome as Error | null)?.message ?? 'done']).toEqual([
              what,
              refused ? expect.stringContaining('invalid') : 'done',
            ]);
            counts[refused ? 'refused' : 'done']++;
            if (!refused) model = next;
            await expectEqual(store, model, spaceId);
          }
        }),
        { numRuns: 60 },
      );
      // Histories in which nothing works, or in which everything does, would prove little.
      expect(Math.min(counts.done, counts.refused)).toBeGreaterThan(20);
    });
  });
}
