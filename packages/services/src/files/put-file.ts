import type { EntryRecord, MetadataReader, SpaceRecord } from '@cairn/metadata-store';
import {
  CairnError,
  type ContentId,
  createOrderedId,
  type EntryId,
  type FileContent,
  type FileEntry,
  parseServerPath,
} from '@cairn/model';
import { authorisePersonalOr } from '../authorisation/authorise.ts';
import type { Principal } from '../authorisation/principal.ts';
import { saveContent } from '../contents/save-content.ts';
import type { DataDependencies } from '../data-dependencies.ts';
import type { PutFileOptions } from '../data-services-types.ts';
import { describeEntries } from '../spaces/describe-entry.ts';
import { commitPlan } from './commit-plan.ts';
import { followPath, planFolders } from './find-path.ts';
import { getEntry, requireFile } from './read-entries.ts';

/** Names of the path of a file. @throws CairnError `bad-path` */
export function parseFilePath(path: string): readonly [folder: readonly string[], name: string] {
  const names = parseServerPath(path);
  const name = names.at(-1);
  if (name === undefined || path.endsWith('/')) {
    throw new CairnError('bad-path', 'a path that ends with a name is needed, such as /docs/a.txt');
  }
  return [names.slice(0, -1), name];
}

function checkIfMatch(existing: FileEntry | null, ifMatch: ContentId | null | undefined): void {
  if (ifMatch === undefined || ifMatch === (existing?.content.contentId ?? null)) return;
  throw new CairnError('precondition-failed', 'the file is not what you expected; read it again', {
    details: { contentId: existing?.content.contentId ?? null },
  });
}

async function findFile(reader: MetadataReader, space: SpaceRecord, path: string): Promise<FileEntry | null> {
  const [folder, name] = parseFilePath(path);
  const found = await followPath(reader, space, [...folder, name]);
  if (found.length < folder.length + 2) return null;
  const [entry] = await describeEntries(reader, space.spaceId, [found.at(-1) as EntryRecord]);
  return entry === undefined ? null : requireFile(entry);
}

/** What has to be known before the bytes are taken in: may this be written, and how was it cut before? */
export function prepareFile(
  { store }: DataDependencies,
  principal: Principal,
  path: string,
  ifMatch: ContentId | null | undefined,
): Promise<{ readonly space: SpaceRecord; readonly existing: FileEntry | null }> {
  return store.read(async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'write', null);
    const existing = await findFile(reader, space, path);
    checkIfMatch(existing, ifMatch);
    return { space, existing };
  });
}

/** Commits a content that the user may use as the file at a path, making missing folders on the way. */
export async function commitFile(
  dependencies: DataDependencies,
  principal: Principal,
  path: string,
  content: FileContent,
  options: Pick<PutFileOptions, 'executable' | 'modifiedAtUs' | 'ifMatch'>,
): Promise<FileEntry> {
  const [folder, name] = parseFilePath(path);
  const { environment } = dependencies;
  const modifiedAtUs = options.modifiedAtUs ?? environment.clock.now() * 1000;
  const planned = await commitPlan(dependencies, principal, async (reader) => {
    const space = await authorisePersonalOr(reader, principal, 'write', null);
    const { spaceId } = space;
    const existing = await findFile(reader, space, path);
    checkIfMatch(existing, options.ifMatch);
    if (existing !== null) {
      const { entryId, sequence: baseSequence } = existing;
      const executable = options.executable ?? existing.executable;
      const update = { kind: 'update', entryId, baseSequence, content, executable, modifiedAtUs } as const;
      return { spaceId, entryId, changes: [update] };
    }
    const { folderId, creates } = await planFolders(dependencies, reader, space, folder);
    const entryId = createOrderedId<EntryId>(environment.clock.now(), environment.random.bytes(16));
    const entry = { kind: 'file', content, executable: options.executable ?? false, modifiedAtUs } as const;
    const create = { kind: 'create', entryId, parentId: folderId, name, entry } as const;
    return { spaceId, entryId, changes: [...creates, create] };
  });
  const { entry } = await getEntry(dependencies, principal, planned.entryId);
  return requireFile(entry);
}

/** See `FilesService.putFile`. */
export async function putFile(
  dependencies: DataDependencies,
  principal: Principal,
  path: string,
  source: AsyncIterable<Uint8Array>,
  options: PutFileOptions = {},
): Promise<FileEntry> {
  const { space, existing } = await prepareFile(dependencies, principal, path, options.ifMatch);
  const content = await saveContent(dependencies, principal, space.spaceId, source, {
    sizeBytes: options.sizeBytes,
    baseProfile: existing?.content.manifest.profile ?? null,
    signal: options.signal,
  });
  return commitFile(dependencies, principal, path, content, options);
}
