import type { Environment } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import type { EntryId } from '@cairn/model';
import type { TreeStore } from '@cairn/tree-store';
import type { SpaceConnection } from './ports.ts';
import { claimRoot, noteRoot, renewLink, verifyRoot } from './root-marker.ts';

/** A marker that could not be renewed is tried again after this. */
export const LINK_RETRY_MS = 60_000;

interface LinkDeps {
  readonly filesystem: Filesystem;
  readonly space: SpaceConnection;
  readonly trees: TreeStore;
  readonly environment: Environment;
}

/**
 * The tie between the folder and what this device knows of it. It is renewed so often that an older copy of the
 * database, put back, is recognised as one; see `renewLink`.
 */
export class RootLink {
  readonly #deps: LinkDeps;
  readonly #rootId: EntryId;
  /** Copies of the database from before what has happened since would still be taken for ours. */
  #isOld = false;
  #renewedAtSequence: number | null = null;

  constructor(deps: LinkDeps) {
    this.#deps = deps;
    this.#rootId = deps.space.rootId;
  }

  /** @throws CairnError `root-missing`, `root-foreign`; see `claimRoot` */
  async claim(): Promise<'known' | 'new' | 'merged'> {
    const claimed = await claimRoot(this.#marker);
    await noteRoot(this.#marker, this.#rootId);
    if (claimed === 'known') await this.renew();
    return claimed;
  }

  /** @throws CairnError `root-missing` */
  verify(): Promise<void> {
    return verifyRoot(this.#marker);
  }

  /** A disk that does not take it now is asked again later; sync goes on. */
  async renew(): Promise<void> {
    const { trees, environment } = this.#deps;
    try {
      if (!(await renewLink(this.#marker))) return;
      trees.flushValues();
      this.#isOld = false;
      this.#renewedAtSequence = this.#sequence;
    } catch (error) {
      this.#isOld = true;
      environment.log.warn('engine.link-not-renewed', { error: String(error) });
    }
  }

  get isOld(): boolean {
    return this.#isOld;
  }

  async renewWhenDue(): Promise<void> {
    if (this.#isOld) await this.renew();
  }

  /** To be called now and then: the next renewal is due if anything was synced since the last. */
  age(): void {
    if (this.#sequence !== this.#renewedAtSequence) this.#isOld = true;
  }

  get #sequence(): number | null {
    return this.#deps.trees.cursor?.sequence ?? null;
  }

  get #marker(): Parameters<typeof claimRoot>[0] {
    const { filesystem, trees, space, environment } = this.#deps;
    return { filesystem, trees, spaceId: space.spaceId, environment };
  }
}
