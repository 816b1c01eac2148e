import type { EntryId } from '@cairn/model';
import type { Operation, PlannedOperation } from '@cairn/planner';
import type { DownloadDeps } from './deps.ts';
import type { LargeTransfers } from './large-transfers.ts';

export type OperationClass = 'books' | 'inspect' | 'push' | 'download' | 'local';

const CLASSES: Record<Operation['kind'], OperationClass> = {
  adopt: 'books',
  settle: 'books',
  forget: 'books',
  renew: 'books',
  inspect: 'inspect',
  'push-create': 'push',
  'push-update': 'push',
  'push-remove': 'push',
  'push-rename': 'push',
  download: 'download',
  'make-folder': 'local',
  'make-link': 'local',
  'move-local': 'local',
  'set-attributes': 'local',
  'remove-local': 'local',
  fork: 'local',
};

export function classOf(operation: Operation): OperationClass {
  return CLASSES[operation.kind];
}

/** The entry an operation is about. */
export function entryOf(operation: Operation): EntryId {
  return operation.kind === 'adopt' ? operation.localId : operation.entryId;
}

export interface Permissions {
  /** The disk takes new bytes now. */
  readonly mayWriteLocally: boolean;
  /** The server takes new bytes now. */
  readonly mayPush: boolean;
}

/** Whether nothing keeps an operation from being tried now. */
export function isRunnable(
  deps: DownloadDeps,
  large: LargeTransfers,
  permissions: Permissions,
  operation: Operation,
): boolean {
  const id = entryOf(operation);
  if (deps.failures.isWaiting(id) || large.isRunning(id)) return false;
  switch (classOf(operation)) {
    case 'push':
      return permissions.mayPush;
    case 'local':
      return permissions.mayWriteLocally;
    case 'download':
      return permissions.mayWriteLocally && (!large.takes(sizeOf(deps, id)) || large.hasRoomFor(id));
    case 'inspect':
      if (deps.restless.isWaiting(id)) return false;
      return !large.takes(deps.local.get(id)?.sizeBytes ?? 0) || large.hasRoomFor(id);
    default:
      return true;
  }
}

/** Bytes of the remote file. */
export function sizeOf(deps: Pick<DownloadDeps, 'trees'>, entryId: EntryId): number {
  const entry = deps.trees.remote.get(entryId);
  return entry?.kind === 'file' ? entry.content.sizeBytes : 0;
}

/** The same for the same operations, so that doing them again in vain is noticed. */
export function signatureOf(operations: readonly PlannedOperation[]): string {
  let hash = 0;
  for (const { operation } of operations) {
    const id = entryOf(operation);
    for (let index = Math.max(0, id.length - 8); index < id.length; index++)
      hash = (Math.imul(hash, 31) + id.charCodeAt(index)) | 0;
    hash = (Math.imul(hash, 31) + operation.kind.length * 7 + operation.kind.charCodeAt(0)) | 0;
  }
  return `${operations.length}:${hash}`;
}
