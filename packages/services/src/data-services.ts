import { listActivity } from './activity/list-activity.ts';
import { openArchive } from './archives/open-archive.ts';
import { findMissingBlocks } from './blocks/find-missing-blocks.ts';
import { readBlocks } from './blocks/read-blocks.ts';
import { readDeltas } from './blocks/read-deltas.ts';
import { signBlocks } from './blocks/sign-blocks.ts';
import { storeBlocks } from './blocks/store-blocks.ts';
import { commitChangeset } from './changesets/commit-changeset.ts';
import { listConflicts } from './conflicts/list-conflicts.ts';
import { resolveConflict } from './conflicts/resolve-conflict.ts';
import type { DataDependencies } from './data-dependencies.ts';
import type { DataServices } from './data-services-types.ts';
import { copyEntry } from './files/copy-entry.ts';
import { createFolder } from './files/create-folder.ts';
import { listFolder } from './files/list-folder.ts';
import { openFile } from './files/open-file.ts';
import { putFile } from './files/put-file.ts';
import { getEntry, getEntryByPath } from './files/read-entries.ts';
import { removeEntry } from './files/remove-entry.ts';
import { updateEntry } from './files/update-entry.ts';
import { openThumbnail } from './previews/open-thumbnail.ts';
import { applyRewind, previewRewind } from './rewind/apply-rewind.ts';
import { lookBack } from './rewind/look-back.ts';
import { findEntries } from './search/find-entries.ts';
import { announceTransfer } from './spaces/announce-transfer.ts';
import { currentSequence } from './spaces/current-sequence.ts';
import { readChanges } from './spaces/read-changes.ts';
import { readSnapshot } from './spaces/read-snapshot.ts';
import { emptyTrash, purgeTrash } from './trash/empty-trash.ts';
import { listTrash } from './trash/list-trash.ts';
import { restoreTrash } from './trash/restore-trash.ts';
import { completeUpload } from './uploads/complete-upload.ts';
import { createUpload } from './uploads/create-upload.ts';
import { getUpload } from './uploads/describe-upload.ts';
import { putUploadPart } from './uploads/put-upload-part.ts';
import { measureAccount } from './usage/measure-account.ts';
import { listVersions } from './versions/list-versions.ts';
import { revertFile } from './versions/revert-file.ts';

/** The use cases of spaces, blocks, files, trash and uploads, on the given adapters. */
export function createDataServices(dependencies: DataDependencies): DataServices {
  /** A use case with its dependencies filled in. */
  function bind<Input extends unknown[], Output>(
    useCase: (dependencies: DataDependencies, ...input: Input) => Output,
  ): (...input: Input) => Output {
    return (...input) => useCase(dependencies, ...input);
  }
  return {
    spaces: {
      commitChangeset: bind(commitChangeset),
      readChanges: bind(readChanges),
      readSnapshot: bind(readSnapshot),
      currentSequence: bind(currentSequence),
      announceTransfer: bind(announceTransfer),
    },
    blocks: {
      findMissingBlocks: bind(findMissingBlocks),
      storeBlocks: bind(storeBlocks),
      readBlocks: bind(readBlocks),
      signBlocks: bind(signBlocks),
      readDeltas: bind(readDeltas),
    },
    files: {
      getByPath: bind(getEntryByPath),
      get: bind(getEntry),
      listFolder: bind(listFolder),
      createFolder: bind(createFolder),
      putFile: bind(putFile),
      openFile: bind(openFile),
      update: bind(updateEntry),
      copy: bind(copyEntry),
      remove: bind(removeEntry),
      listVersions: bind(listVersions),
      revert: bind(revertFile),
    },
    conflicts: { list: bind(listConflicts), resolve: bind(resolveConflict) },
    trash: {
      list: bind(listTrash),
      restore: bind(restoreTrash),
      purge: bind(purgeTrash),
      empty: bind(emptyTrash),
    },
    uploads: {
      create: bind(createUpload),
      get: bind(getUpload),
      putPart: bind(putUploadPart),
      complete: bind(completeUpload),
    },
    search: { find: bind(findEntries) },
    archives: { open: bind(openArchive) },
    activity: { list: bind(listActivity) },
    rewind: { look: bind(lookBack), preview: bind(previewRewind), apply: bind(applyRewind) },
    previews: { thumbnail: bind(openThumbnail) },
    usage: { ofAccount: bind(measureAccount) },
  };
}
