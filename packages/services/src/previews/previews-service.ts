import type { EntryId, VersionId } from '@cairn/model';
import type { Principal } from '../authorisation/principal.ts';

/** Longest edge in pixels. */
export type ThumbnailSize = 256 | 1024;

/** Makes small pictures, outside of the server's own thread, few at a time. */
export interface ThumbnailRenderer {
  /**
   * @param load called when it is this picture's turn
   * @returns WebP
   * @throws CairnError `no-preview` for what is no picture, or one that would cost too much; `unavailable` when too many wait
   */
  render(load: () => Promise<Uint8Array>, size: ThumbnailSize): Promise<Uint8Array>;
  close(): Promise<void>;
}

export interface Thumbnail {
  readonly versionId: VersionId;
  /** WebP. @throws CairnError `no-preview`, `unavailable` */
  render(): Promise<Uint8Array>;
}

export interface PreviewsService {
  /** @throws CairnError `not-found`, `not-a-file`, `no-preview` for files that are no pictures by their names, or too large */
  thumbnail(
    principal: Principal,
    entryId: EntryId,
    options: { readonly versionId?: VersionId; readonly size: ThumbnailSize },
  ): Promise<Thumbnail>;
}
