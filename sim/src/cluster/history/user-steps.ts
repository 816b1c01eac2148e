import {
  type BlockId,
  type ChangesetId,
  type ContentId,
  createId,
  type EntryId,
  isCairnError,
} from '@cairn/model';
import type { DataServices } from '@cairn/services';
import type { Draw } from '../../random.ts';
import { disksInUse, strengthAt } from '../checks/in-use.ts';
import type { LedgerFile } from '../checks/ledger.ts';
import { referencedBlocks } from '../checks/moments.ts';
import type { ClusterServer, RunningServer } from '../world/cluster-server.ts';
import { CONTENTS, findContent, LARGE_CONTENTS, type PoolContent } from '../world/contents.ts';
import type { ClusterUser } from '../world/template.ts';
import { type ClusterWorld, fail } from './cluster-world.ts';

/** What may come of anything in a world like this; everything else is a fault. */
const EXPECTED = [
  'unavailable',
  'storage-full',
  'blocks-missing',
  'conflict',
  'not-found',
  'precondition-failed',
  'already-exists',
  'name-taken',
] as const;

/** Begins something that a person or a job does through a server, and does not wait for it. */
export function begin(
  world: ClusterWorld,
  server: ClusterServer,
  what: string,
  work: (running: RunningServer) => Promise<string | null>,
): void {
  const { running, process } = server;
  if (running === null || process === null) {
    world.trace.tell(`${what}: ${server.name} is not there`);
    return;
  }
  const task = { process, what };
  world.underWay.add(task);
  world.trace.tell(`${what} through ${server.name}`);
  work(running)
    .then(
      (outcome) => {
        if (outcome !== null) world.trace.tell(`${what}: ${outcome}`);
      },
      (error: unknown) => {
        // What becomes of it in a process that has died is nobody's business.
        if (process.isDead) return;
        const isExpected = isCairnError(error, ...EXPECTED);
        world.trace.tell(`${what}: ${String(error)}`);
        if (isExpected) world.statistics.count(`refused:${error.code}`);
        else fail(world, `[fault] ${what}: ${error instanceof Error ? error.stack : String(error)}`);
      },
    )
    .finally(() => world.underWay.delete(task));
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Uploads and commits as our clients do: ask, send what is missing, commit, and again when the commit lacks blocks. */
async function upload(
  world: ClusterWorld,
  { services, environment }: RunningServer,
  user: ClusterUser,
  content: PoolContent,
  target: LedgerFile | null,
): Promise<string | null> {
  const { principal, spaceId } = user;
  const ids = content.blocks.map(({ blockId }) => blockId);
  const newId = <Id extends string>() => createId<Id>(environment.random.bytes(16));
  for (let attempt = 0; attempt < 4; attempt++) {
    const missing = new Set<BlockId>(await services.blocks.findMissingBlocks(principal, spaceId, ids));
    if (missing.size > 0) {
      const sent = content.blocks.filter(({ blockId }) => missing.has(blockId));
      await services.blocks.storeBlocks(principal, spaceId, sent);
    } else world.statistics.count('upload:all-there');
    const entryId = target?.entryId ?? newId<EntryId>();
    const fields = { executable: false, modifiedAtUs: 1 } as const;
    const change =
      target === null
        ? ({
            kind: 'create',
            entryId,
            parentId: user.rootId,
            name: entryId,
            entry: { kind: 'file', content: content.content, ...fields },
          } as const)
        : ({
            kind: 'update',
            entryId,
            baseSequence: (await services.files.get(principal, entryId)).entry.sequence,
            content: content.content,
            ...fields,
          } as const);
    try {
      await services.spaces.commitChangeset(principal, spaceId, {
        changesetId: newId<ChangesetId>(),
        changes: [change],
      });
      world.ledger.acknowledge(user, entryId, content.content.contentId);
      world.statistics.count('committed');
      return `saved as ${entryId.slice(0, 4)}`;
    } catch (error) {
      if (!isCairnError(error, 'blocks-missing')) throw error;
      world.statistics.count('commit:blocks-missing');
    }
  }
  return 'given up';
}

/** Reads a version and compares every byte; says why when it cannot be read. */
export async function readVersion(
  world: ClusterWorld,
  services: DataServices,
  user: ClusterUser,
  entryId: EntryId,
  versionId: Parameters<DataServices['files']['openFile']>[2],
): Promise<string> {
  const opened = await services.files.openFile(user.principal, entryId, versionId);
  const contentId = opened.version.content?.contentId as ContentId;
  const content = findContent(contentId);
  if (content === null) throw new Error(`nobody ever saved content ${contentId}`);
  const parts: Uint8Array[] = [];
  try {
    for await (const piece of opened.read()) parts.push(new Uint8Array(piece));
  } catch (error) {
    if (!isCairnError(error, 'data-damaged')) throw error;
    await judgeDamage(world, content, error.message);
    return `damaged: ${error.message}`;
  }
  if (Buffer.compare(Buffer.concat(parts), content.bytes) !== 0) {
    fail(world, `[wrong-bytes] a read of ${content.label} answered other bytes`);
  }
  return `read ${content.label}`;
}

/** "Lost" and "damaged" are final words: they must not be said of a file that needs it while a node has a true copy and reads it right. */
async function judgeDamage(world: ClusterWorld, content: PoolContent, message: string): Promise<void> {
  world.statistics.count('read:damaged');
  const [needed, inUse] = await world.timeline.hold(async () => [
    await referencedBlocks(world),
    await disksInUse(world),
  ]);
  const ids = content.blocks.map(({ blockId }) => blockId).filter((blockId) => needed.has(blockId));
  if (ids.length < content.blocks.length) return;
  const reliable = { ...inUse, nodes: inUse.nodes.filter(({ garbledPercent }) => garbledPercent === 0) };
  const isReadable = (blockId: BlockId) => strengthAt(reliable, blockId) > 0;
  if (ids.every(isReadable)) {
    fail(world, `[absent] a read of ${content.label} said "${message}" although every block is there`);
  }
}

/** What somebody saves. Old blocks are coded only where some are large. */
export function pickContent({ script }: ClusterWorld, draw: Draw): PoolContent {
  const isLarge = script.codeAfterMs !== null && draw.chance(60);
  return draw.pick(isLarge ? LARGE_CONTENTS : CONTENTS);
}

export function uploadStep(world: ClusterWorld, server: ClusterServer, draw: Draw): void {
  const user = draw.pick(world.users);
  const content = pickContent(world, draw);
  const files = world.ledger.kept().filter((file) => file.user === user);
  const target = files.length > 0 && draw.chance(30) ? draw.pick(files) : null;
  uploadContent(world, server, user, content, target);
}

/** @param target the file that gets a new version; `null`: a new file */
export function uploadContent(
  world: ClusterWorld,
  server: ClusterServer,
  user: ClusterUser,
  content: PoolContent,
  target: LedgerFile | null,
): void {
  begin(world, server, `${user.name} uploads ${content.label}`, (running) =>
    upload(world, running, user, content, target),
  );
}

export function putFileStep(world: ClusterWorld, server: ClusterServer, draw: Draw): void {
  const user = draw.pick(world.users);
  const content = draw.pick(CONTENTS.filter(({ blocks }) => blocks.length === 1));
  const path = `/by-path-${draw.below(3)}`;
  begin(world, server, `${user.name} puts ${content.label} at ${path}`, async ({ services }) => {
    const { entryId, content: saved } = await services.files.putFile(
      user.principal,
      path,
      pieces(content.bytes),
    );
    // Somebody may have put another content there between commit and answer.
    if (saved.contentId === content.content.contentId) {
      world.ledger.acknowledge(user, entryId, saved.contentId);
    }
    return `saved as ${entryId.slice(0, 4)}`;
  });
}

export function readStep(world: ClusterWorld, server: ClusterServer, draw: Draw): void {
  const files = world.ledger.kept();
  if (files.length === 0) return;
  const file = draw.pick(files);
  const choice = draw.word();
  begin(world, server, `${file.user.name} reads ${file.entryId.slice(0, 4)}`, async ({ services }) => {
    const versions = await services.files.listVersions(file.user.principal, file.entryId);
    const version = versions[choice % versions.length];
    const options = version === undefined ? {} : { versionId: version.versionId };
    const outcome = await readVersion(world, services, file.user, file.entryId, options);
    world.statistics.count('read');
    return outcome;
  });
}

export function removeStep(world: ClusterWorld, server: ClusterServer, draw: Draw): void {
  const files = world.ledger.kept();
  if (files.length === 0) return;
  // All of one content at once makes garbage sooner.
  const first = draw.pick(files);
  const chosen = draw.chance(50)
    ? files.filter(({ contents }) => [...contents].some((contentId) => first.contents.has(contentId)))
    : [first];
  for (const file of chosen) removeFile(world, server, file, draw.chance(60));
}

/** @param purges also from the trash */
export function removeFile(
  world: ClusterWorld,
  server: ClusterServer,
  file: LedgerFile,
  purges: boolean,
): void {
  file.isLeaving = true;
  begin(world, server, `${file.user.name} removes ${file.entryId.slice(0, 4)}`, async ({ services }) => {
    await services.files.remove(file.user.principal, file.entryId);
    if (purges) await services.trash.purge(file.user.principal, file.entryId);
    return null;
  });
}

export function purgeStep(world: ClusterWorld, server: ClusterServer, draw: Draw): void {
  const user = draw.pick(world.users);
  begin(world, server, `${user.name} empties the trash`, async ({ services }) => {
    const { items } = await services.trash.empty(user.principal, null);
    return `${items} items`;
  });
}

export function revertStep(world: ClusterWorld, server: ClusterServer, draw: Draw): void {
  const files = world.ledger.kept().filter(({ contents }) => contents.size > 1);
  if (files.length === 0) return;
  const file = draw.pick(files);
  const choice = draw.word();
  begin(world, server, `${file.user.name} reverts ${file.entryId.slice(0, 4)}`, async ({ services }) => {
    const versions = await services.files.listVersions(file.user.principal, file.entryId);
    const version = versions[choice % versions.length];
    if (version === undefined) return 'there are no versions';
    await services.files.revert(file.user.principal, file.entryId, version.versionId);
    world.statistics.count('reverted');
    return null;
  });
}
