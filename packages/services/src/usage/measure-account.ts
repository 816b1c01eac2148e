import { authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { AccountUsage } from './usage-service.ts';

/** See `UsageService.ofAccount`. */
export function measureAccount({ store }: DataDependencies, principal: Principal): Promise<AccountUsage> {
  return store.read(async (reader) => {
    const { spaceId } = await authorisePersonalOr(reader, principal, 'read', null);
    const { live, versions, trash, stored } = await reader.measure(spaceId);
    const { files, folders, chunks } = await reader.measureContents(spaceId);
    const fullBytes = live.bytes + versions.bytes + trash.bytes;
    return {
      liveBytes: live.bytes,
      versionsBytes: versions.bytes,
      trashBytes: trash.bytes,
      storedBytes: stored.bytes,
      savedByDedupBytes: Math.max(0, fullBytes - chunks.plainBytes),
      savedByCompressionBytes: Math.max(0, chunks.plainBytes - chunks.storedBytes),
      files,
      folders,
      quotaBytes: null,
    };
  });
}
