import type { ContentId, EntryId } from '@cairn/model';
import type { ClusterUser } from '../world/template.ts';

/** A file that somebody was told is saved. */
export interface LedgerFile {
  readonly entryId: EntryId;
  readonly user: ClusterUser;
  /** Contents of the versions whose saving was acknowledged. */
  readonly contents: Set<ContentId>;
  /** Somebody has begun to remove it: it may be there or not. */
  isLeaving: boolean;
}

/** What users were told. */
export class Ledger {
  readonly #files = new Map<EntryId, LedgerFile>();

  acknowledge(user: ClusterUser, entryId: EntryId, contentId: ContentId): void {
    let file = this.#files.get(entryId);
    if (file === undefined) {
      file = { entryId, user, contents: new Set(), isLeaving: false };
      this.#files.set(entryId, file);
    }
    file.contents.add(contentId);
  }

  files(): LedgerFile[] {
    return [...this.#files.values()];
  }

  /** Files that must be there. */
  kept(): LedgerFile[] {
    return this.files().filter(({ isLeaving }) => !isLeaving);
  }
}
