import {
  type Changeset,
  type ContentId,
  type Cursor,
  type Entry,
  type EntryId,
  formatCursor,
  parseCursor,
  type SpaceId,
} from '@cairn/model';
import type { DataServices, Principal } from '@cairn/services';

/** What the server's tree was at one sequence, by entry. */
export type TreeState = ReadonlyMap<EntryId, Entry>;

export interface SavedContents {
  readonly contents: ReadonlySet<ContentId>;
  readonly history: ReadonlyMap<EntryId, readonly ContentId[]>;
}

/**
 * The server's journal as somebody sees it who folds it row by row, with every state it ever had. The tables must
 * say the same; a journal with gaps, or whose rows change, shows here.
 */
export class Mirror {
  readonly #rootId: EntryId;
  #entries = new Map<EntryId, Entry>();
  #cursor: Cursor | null = null;
  #states = new Map<string, TreeState>();
  /** Every content that was ever committed, and those of each entry, oldest first. */
  readonly contents = new Set<ContentId>();
  readonly history = new Map<EntryId, ContentId[]>();

  constructor(rootId: EntryId) {
    this.#rootId = rootId;
  }

  get sequence(): number {
    return this.#cursor?.sequence ?? 0;
  }

  get now(): TreeState {
    return this.#entries;
  }

  /** The tree where a cursor points; `undefined` for one of another history, or inside of a changeset. */
  at(cursor: Cursor | null): TreeState | undefined {
    return cursor === null ? undefined : this.#states.get(formatCursor(cursor));
  }

  /** What the server could give back at this moment, for the backup that is taken. */
  save(): SavedContents {
    return {
      contents: new Set(this.contents),
      history: new Map([...this.history].map(([entryId, contents]) => [entryId, [...contents]])),
    };
  }

  /** The server is what it was when `saved` was. */
  restore(saved: SavedContents): void {
    this.contents.clear();
    this.history.clear();
    for (const contentId of saved.contents) this.contents.add(contentId);
    for (const [entryId, contents] of saved.history) this.history.set(entryId, [...contents]);
  }

  /** Reads the whole tree anew: at the start, and when the server has another history. */
  async reset(data: DataServices, principal: Principal, spaceId: SpaceId): Promise<void> {
    this.#entries = new Map();
    this.#states = new Map();
    this.#cursor = null;
    for await (const [entry, cursor] of readTables(data, principal, spaceId)) {
      this.#cursor ??= cursor;
      this.#entries.set(entry.entryId, entry);
    }
    for (const entry of this.#entries.values()) this.#remember(entry);
    this.#noteState();
  }

  /** Folds what came since. Returns the rows' entries as they were before, for whoever looks for causes. */
  async follow(
    data: DataServices,
    principal: Principal,
    spaceId: SpaceId,
  ): Promise<ReadonlyMap<EntryId, Entry>> {
    const before = new Map<EntryId, Entry>();
    if (this.#cursor === null) throw new Error('the mirror was never reset');
    for (;;) {
      const page = await data.spaces.readChanges(principal, spaceId, formatCursor(this.#cursor), 500);
      let expected = this.#cursor.sequence;
      for (const change of page.changes) {
        if (change.sequence !== ++expected)
          throw new Error(`[I24] the journal goes from ${expected - 1} to ${change.sequence}`);
        const old = this.#entries.get(change.entryId);
        if (old !== undefined && !before.has(change.entryId)) before.set(change.entryId, old);
        if (change.entry === null) this.#removeSubtree(change.entryId);
        else {
          this.#entries.set(change.entryId, change.entry);
          this.#remember(change.entry);
        }
      }
      const cursor = parseCursor(page.cursor);
      if (cursor === null || cursor.sequence !== expected)
        throw new Error(`[I24] the journal's cursor is ${page.cursor} after row ${expected}`);
      this.#cursor = cursor;
      if (!page.more) break;
    }
    this.#noteState();
    this.#checkTree();
    return before;
  }

  /** [I23 I33] The tables hold the tree that the journal tells. */
  async compareWithTables(data: DataServices, principal: Principal, spaceId: SpaceId): Promise<void> {
    const tables = new Map<EntryId, string>();
    for await (const [entry] of readTables(data, principal, spaceId))
      tables.set(entry.entryId, JSON.stringify(entry));
    for (const entry of this.#entries.values()) {
      const there = tables.get(entry.entryId);
      if (there !== JSON.stringify(entry) && entry.entryId !== this.#rootId)
        throw new Error(`[I23] the journal says ${JSON.stringify(entry)}, the tables ${there ?? 'nothing'}`);
      tables.delete(entry.entryId);
    }
    tables.delete(this.#rootId);
    const [extra] = tables.values();
    if (extra !== undefined) throw new Error(`[I23] the tables have ${extra}, the journal has not`);
  }

  /** Path of every entry of a state, without the root. */
  paths(state: TreeState): Map<string, Entry> {
    const paths = new Map<string, Entry>();
    for (const entry of state.values()) {
      if (entry.parentId === null) continue;
      paths.set(pathOf(state, entry), entry);
    }
    return paths;
  }

  #noteState(): void {
    if (this.#cursor !== null) this.#states.set(formatCursor(this.#cursor), new Map(this.#entries));
  }

  #remember(entry: Entry): void {
    if (entry.kind !== 'file') return;
    this.contents.add(entry.content.contentId);
    const history = this.history.get(entry.entryId) ?? [];
    if (history.at(-1) !== entry.content.contentId) history.push(entry.content.contentId);
    this.history.set(entry.entryId, history);
  }

  #removeSubtree(entryId: EntryId): void {
    this.#entries.delete(entryId);
    for (const entry of [...this.#entries.values()])
      if (entry.parentId === entryId) this.#removeSubtree(entry.entryId);
  }

  /** [I23] One live parent each, no cycle, no orphan, no two equal names in a folder. */
  #checkTree(): void {
    const names = new Set<string>();
    for (const entry of this.#entries.values()) {
      if (entry.parentId === null) continue;
      if (this.#entries.get(entry.parentId)?.kind !== 'folder')
        throw new Error(`[I23] "${entry.name}" (${entry.entryId}) lies in no folder`);
      pathOf(this.#entries, entry);
      const name = `${entry.parentId}/${entry.name.normalize('NFC').toLowerCase()}`;
      if (names.has(name)) throw new Error(`[I23] two neighbours are named "${entry.name}"`);
      names.add(name);
    }
  }
}

export function pathOf(state: TreeState, entry: Entry): string {
  const names: string[] = [];
  let at: Entry | undefined = entry;
  while (at !== undefined && at.parentId !== null) {
    names.push(at.name);
    if (names.length > 500) throw new Error(`[I23] "${entry.name}" lies in a circle`);
    at = state.get(at.parentId);
  }
  return names.reverse().join('/');
}

async function* readTables(
  data: DataServices,
  principal: Principal,
  spaceId: SpaceId,
): AsyncGenerator<[Entry, Cursor]> {
  let after: EntryId | null = null;
  let first: Cursor | null = null;
  do {
    const page = await data.spaces.readSnapshot(principal, spaceId, after, 500);
    first ??= parseCursor(page.cursor);
    if (first === null) throw new Error(`a cursor that is none: ${page.cursor}`);
    for (const entry of page.entries) yield [entry, first];
    after = page.next;
  } while (after !== null);
}

/** Removals in a changeset. */
export function removedIn(changeset: Changeset): EntryId[] {
  return changeset.changes.flatMap((change) => (change.kind === 'remove' ? [change.entryId] : []));
}
