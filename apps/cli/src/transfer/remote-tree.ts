import type { Client, SpaceClient } from '@cairn/client';
import { CairnError, type Entry, type EntryId, type FileEntry } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { showName } from '../output/text.ts';

/** The entries of a space with their contents, by parent. */
export interface RemoteTree {
  children(entryId: EntryId): readonly Entry[];
}

/** Reads the whole space once: far fewer requests than asking for the content of every file below a folder. */
export async function readRemoteTree(space: SpaceClient, signal: AbortSignal): Promise<RemoteTree> {
  const byParent = new Map<EntryId, Entry[]>();
  let after: EntryId | null = null;
  do {
    const page: Awaited<ReturnType<SpaceClient['snapshot']>> = await space.snapshot(after, signal);
    for (const entry of page.entries) {
      if (entry.parentId === null) continue;
      const siblings = byParent.get(entry.parentId);
      if (siblings === undefined) byParent.set(entry.parentId, [entry]);
      else siblings.push(entry);
    }
    after = page.next;
  } while (after !== null);
  for (const siblings of byParent.values()) siblings.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { children: (entryId) => byParent.get(entryId) ?? [] };
}

/** One file or link with all that is needed to write it. */
export async function readEntry(client: Client, found: FileObject, signal: AbortSignal): Promise<Entry> {
  const { entryId, parentId, name, sequence } = found;
  const common = { entryId, parentId, name, sequence };
  if (found.kind === 'folder') return { kind: 'folder', ...common };
  const { entry, content } = await client.files.getContent(entryId, signal);
  if (entry.kind === 'link' && entry.target !== undefined && entry.versionId !== undefined) {
    const { target, versionId, modifiedAtUs = 0 } = entry;
    return { kind: 'link', ...common, target, versionId, modifiedAtUs };
  }
  if (entry.kind === 'file' && content !== undefined && entry.versionId !== undefined) {
    const { versionId, executable = false, modifiedAtUs = 0 } = entry;
    const file: FileEntry = { kind: 'file', ...common, versionId, content, executable, modifiedAtUs };
    return file;
  }
  throw new CairnError(
    'not-a-cairn-server',
    `the server's answer about ${showName(found.path)} is not complete. Update it`,
  );
}
