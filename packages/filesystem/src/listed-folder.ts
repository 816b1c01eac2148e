import type { FileKind, FileStatus, ListedFolder, ListedItem } from './filesystem.ts';

/** No name has it, and nothing else of a status. */
const SEPARATOR = '\0';
const FIELDS = 6;
const KINDS: readonly FileKind[] = ['file', 'folder', 'link', 'other'];

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * A listed folder as it is handed from one thread to another and waits there: nothing that a garbage collector would go
 * through or move, whatever the number of items.
 */
export interface PackedFolder {
  readonly path: string;
  readonly identity: string;
  readonly fingerprint: string;
  readonly device: string;
  /** Its memory is nobody else's. */
  readonly items: Uint8Array<ArrayBuffer>;
}

/** @param items names with the status of each */
export function packFolder(
  path: string,
  status: FileStatus,
  items: Iterable<readonly [name: string, status: FileStatus]>,
): PackedFolder {
  const { identity, fingerprint, device } = status;
  const fields: (string | number)[] = [];
  for (const [name, item] of items)
    fields.push(
      name,
      KINDS.indexOf(item.kind),
      item.sizeBytes,
      item.identity,
      item.fingerprint,
      // Nearly always the folder's own.
      item.device === device ? '' : item.device,
    );
  return { path, identity, fingerprint, device, items: encoder.encode(fields.join(SEPARATOR)) };
}

/** The items are made when they are asked for, and not kept. */
export function unpackFolder({ identity, fingerprint, device, items }: PackedFolder): ListedFolder {
  return {
    identity,
    fingerprint,
    items() {
      const unpacked: ListedItem[] = [];
      if (items.length === 0) return unpacked;
      const fields = decoder.decode(items).split(SEPARATOR);
      for (let at = 0; at < fields.length; at += FIELDS) {
        unpacked.push({
          name: fields[at] as string,
          kind: KINDS[Number(fields[at + 1])] as FileKind,
          sizeBytes: Number(fields[at + 2]),
          identity: fields[at + 3] as string,
          fingerprint: fields[at + 4] as string,
          device: fields[at + 5] === '' ? device : (fields[at + 5] as string),
        });
      }
      return unpacked;
    },
  };
}
