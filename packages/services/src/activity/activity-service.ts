import type { DeviceId, EntryId, EntryKind } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';

export interface Activity {
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly committedAt: number;
  readonly deviceId: DeviceId;
  readonly deviceName: string;
  readonly username: string;
  readonly kind: 'created' | 'edited' | 'moved' | 'renamed' | 'deleted' | 'restored';
  readonly entry: {
    readonly entryId: EntryId;
    readonly kind: EntryKind;
    /** Right after; of what was deleted: right before. */
    readonly name: string;
    /** Where it is now; `null`: nowhere in the live tree. */
    readonly path: string | null;
  };
  /** Of moves and renames, as far as the folder it was in is still there. */
  readonly fromPath?: string;
}

/** Who changed what from which device. */
export interface ActivityService {
  /**
   * The personal space's journal for people, newest first.
   * @param page `before`: only older than this sequence
   */
  list(
    principal: Principal,
    page: { readonly before: number | null; readonly limit: number },
  ): Promise<{ readonly items: readonly Activity[]; readonly next: number | null }>;
}
