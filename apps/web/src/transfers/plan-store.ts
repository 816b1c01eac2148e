import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { type PlannedUpload, planKey } from './resume-plan.ts';

interface PlanSchema extends DBSchema {
  readonly uploads: { key: string; value: PlannedUpload };
}

const DATABASE = 'cairn-uploads';
const ADOPTION_LOCK = 'cairn-uploads-adoption';
const TAB_LOCK = 'cairn-uploads-tab-';
/** More files than this are not planned: after a reload they are dropped again, and those that are there are skipped. */
const MAX_PLANNED = 200_000;

let opening: Promise<IDBPDatabase<PlanSchema>> | null = null;

function open(): Promise<IDBPDatabase<PlanSchema>> {
  opening ??= openDB<PlanSchema>(DATABASE, 1, {
    upgrade(database) {
      database.createObjectStore('uploads', { keyPath: 'key' });
    },
    terminated() {
      opening = null;
    },
  });
  return opening;
}

/** Private windows may refuse to keep anything: uploads then just do not survive a reload. */
async function quietly<Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> {
  try {
    return await work();
  } catch {
    return otherwise;
  }
}

/** Keeps plans, all of them or none. */
export function keepPlans(plans: readonly PlannedUpload[]): Promise<void> {
  return quietly(async () => {
    const transaction = (await open()).transaction('uploads', 'readwrite');
    const room = MAX_PLANNED - (await transaction.store.count());
    for (const plan of plans.slice(0, Math.max(0, room))) void transaction.store.put(plan);
    await transaction.done;
  }, undefined);
}

export function forgetPlans(keys: readonly string[]): Promise<void> {
  return quietly(async () => {
    const transaction = (await open()).transaction('uploads', 'readwrite');
    for (const key of keys) void transaction.store.delete(key);
    await transaction.done;
  }, undefined);
}

/** Forgets the plans of everybody: names of files are nothing to leave behind on a shared machine. */
export function forgetAllPlans(): Promise<void> {
  return quietly(async () => (await open()).clear('uploads'), undefined);
}

/** Says, until the tab is closed, that the plans of this owner are being worked on. */
export function holdPlans(owner: string): void {
  void navigator.locks?.request(TAB_LOCK + owner, () => new Promise(() => undefined));
}

export interface AdoptedUpload {
  readonly id: number;
  readonly plan: PlannedUpload;
}

/**
 * Takes over the plans of tabs that are gone, for this person. What other people left here is deleted.
 * @param nextId makes the ids under which they go on here
 */
export function adoptPlans(owner: string, userId: string, nextId: () => number): Promise<AdoptedUpload[]> {
  const adopt = async (): Promise<AdoptedUpload[]> => {
    const { held = [] } = await navigator.locks.query();
    const alive = new Set(held.flatMap(({ name }) => name ?? []));
    const transaction = (await open()).transaction('uploads', 'readwrite');
    const adopted: AdoptedUpload[] = [];
    for (const plan of await transaction.store.getAll()) {
      const isForeign = plan.userId !== userId;
      if (!isForeign && (plan.owner === owner || alive.has(TAB_LOCK + plan.owner))) continue;
      void transaction.store.delete(plan.key);
      if (isForeign) continue;
      const id = nextId();
      const mine = { ...plan, owner, key: planKey(owner, id) };
      adopted.push({ id, plan: mine });
      void transaction.store.put(mine);
    }
    await transaction.done;
    return adopted;
  };
  return quietly(() => navigator.locks.request(ADOPTION_LOCK, adopt), []);
}
