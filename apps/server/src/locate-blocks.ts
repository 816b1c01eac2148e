import type { Environment } from '@cairn/environment';
import type { BlockLocationRecord, BlockPlaceRecord, MetadataStore } from '@cairn/metadata-store';
import { type BlockId, CairnError, createId } from '@cairn/model';
import type { BlockFolders } from './block-folders.ts';
import { describeSetting, parseBlocks } from './blocks-setting.ts';
import type { BlocksSetting } from './open-blocks.ts';

export interface LocateBlocksOptions {
  /** What the server was told, by CAIRN_BLOCKS or as its default. */
  readonly configured: BlocksSetting;
  /** Whether anybody said so: the default says nothing against what is recorded. */
  readonly isSaid: boolean;
  /** The place that was told is the place, whatever is recorded. */
  readonly isTaken: boolean;
  readonly store: MetadataStore;
  readonly environment: Environment;
  readonly folders: BlockFolders;
  /** Whether the folder has any of these blocks whole. */
  readonly hasAny: (directory: string, blockIds: readonly BlockId[]) => Promise<boolean>;
}

export interface LocatedBlocks {
  readonly location: BlockLocationRecord;
  /** Whether the database has it. */
  readonly isRecorded: boolean;
}

const SAMPLE_BLOCKS = 500;

/** What a recorded place means. */
export function settingOf(place: BlockPlaceRecord): BlocksSetting {
  return parseBlocks(place.setting, 'the database');
}

/** What somebody ought to change in the settings after the blocks were moved; `null` for nothing. */
export function describeMovedAway(
  configured: BlocksSetting,
  isSaid: boolean,
  { place, previous, move }: BlockLocationRecord,
): string | null {
  const setting = settingOf(place);
  const isSame =
    configured.kind === 'nodes' || setting.kind === 'nodes'
      ? configured.kind === setting.kind
      : configured.directory === setting.directory;
  if (isSame || previous === null || move !== null) return null;
  const said = isSaid ? `CAIRN_BLOCKS still says ${describeSetting(configured)}` : 'CAIRN_BLOCKS is not set';
  return `the blocks were moved to ${place.setting}, which is used, but ${said}; set it to ${place.setting}`;
}

function elsewhere(message: string, location?: BlockLocationRecord): CairnError {
  const { place, move } = location ?? {};
  return new CairnError('blocks-elsewhere', message, {
    details: { place: place?.setting ?? null, target: move?.target.setting ?? null },
  });
}

/**
 * Where the blocks of this database are: as it is recorded, else as it is configured, provided that is possible. What
 * belongs together by its record, by the marker in a folder or by its contents is taken; everything else is refused,
 * since a server on an empty place would show every file as damaged.
 * @throws CairnError `blocks-elsewhere`, `data-damaged`, and what disk and database say
 */
export async function locateBlocks(options: LocateBlocksOptions): Promise<LocatedBlocks> {
  const { configured, isSaid, isTaken, store, environment, folders } = options;
  const { recorded, sample, hasNodes } = await store.read(async (reader) => ({
    recorded: await reader.getBlockLocation(),
    sample: (await reader.pageBlockIds(0, SAMPLE_BLOCKS)).blockIds,
    hasNodes: (await reader.listStorageNodes()).length > 0,
  }));
  const newId = () => createId<string>(environment.random.bytes(16));

  /** Whether the configured place is this one: by what it says, or by the marker in a folder that was brought elsewhere. */
  async function isConfigured(place: BlockPlaceRecord | null | undefined): Promise<boolean> {
    if (place == null) return false;
    const setting = settingOf(place);
    if (configured.kind === 'nodes' || setting.kind === 'nodes') return configured.kind === setting.kind;
    if (configured.directory === setting.directory) return true;
    return (await folders.readMarker(configured.directory))?.placeId === place.placeId;
  }

  const asConfigured = (place: BlockPlaceRecord): BlockPlaceRecord => ({
    ...place,
    setting: describeSetting(configured),
  });

  /** Refuses a folder that is not what it is taken for: another server's, or empty where there must be blocks. */
  async function makeSure(
    place: BlockPlaceRecord,
    serverId: string,
    location: BlockLocationRecord,
  ): Promise<void> {
    const setting = settingOf(place);
    if (setting.kind === 'nodes') return;
    const { directory } = setting;
    const marker = await folders.readMarker(directory);
    if (marker?.placeId === place.placeId && marker.serverId === serverId) return;
    if (marker !== null && !isTaken) {
      throw elsewhere(
        `${directory} has the blocks of another server, or another place of this one. Its database says that they are in ${place.setting}; put that folder there, or name it in CAIRN_BLOCKS`,
        location,
      );
    }
    if (sample.length > 0 && !isTaken && !(await options.hasAny(directory, sample))) {
      throw elsewhere(
        `${directory} has none of the blocks that the database names; they ought to be in ${place.setting}. See whether that disk is mounted; if they are lost for good, start once with --blocks-are-here`,
        location,
      );
    }
    await folders.prepare(directory);
    await folders.writeMarker(directory, { serverId, placeId: place.placeId });
  }

  async function save(location: BlockLocationRecord): Promise<LocatedBlocks> {
    if (JSON.stringify(location) !== JSON.stringify(recorded)) {
      await store.transact((transaction) => transaction.setBlockLocation(location));
    }
    return { location, isRecorded: true };
  }

  if (recorded === undefined || isTaken) {
    const marker = configured.kind === 'folder' ? await folders.readMarker(configured.directory) : null;
    const serverId = recorded?.serverId ?? marker?.serverId ?? newId();
    const isOurs = marker !== null && marker.serverId === serverId;
    const place = {
      placeId: isOurs ? marker.placeId : newId(),
      setting: describeSetting(configured),
    };
    const location = { serverId, place, previous: null, movedAt: null, leftBlocks: 0, move: null };
    if (!isTaken) {
      if (configured.kind === 'nodes' && sample.length > 0 && !hasNodes) {
        throw elsewhere(
          'CAIRN_BLOCKS names storage nodes, but none has ever joined, and the database has blocks; start with the folder that they are in, and move them with "cairn admin blocks move nodes:"',
        );
      }
      if (configured.kind === 'folder') {
        const { directory } = configured;
        if (marker !== null && sample.length === 0 && (await folders.list(directory)).includes('segments')) {
          throw elsewhere(
            `${directory} has the blocks of another server, or of a database that is gone; choose another folder, or start once with --blocks-are-here if they are to be this server's`,
          );
        }
        if (sample.length > 0 && !(await options.hasAny(directory, sample))) {
          throw elsewhere(
            `${directory} has none of the blocks that the database names; start with the CAIRN_BLOCKS with which they were stored. If they are lost for good, start once with --blocks-are-here`,
          );
        }
      }
    }
    if (configured.kind === 'folder') {
      await folders.prepare(configured.directory);
      try {
        await folders.writeMarker(configured.directory, { serverId, placeId: place.placeId });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOSPC' && code !== 'EDQUOT' && code !== 'EROFS') throw error;
        // Reading goes on where nothing can be written; the next start records it.
        environment.log.warn('blocks.place-not-recorded', { directory: configured.directory, code });
        return { location, isRecorded: false };
      }
    }
    if (isTaken) environment.log.warn('blocks.place-taken', { place: place.setting });
    return save(location);
  }

  const { serverId, place, previous, move } = recorded;
  const target = move?.target ?? null;
  let location = recorded;
  if (await isConfigured(place)) location = { ...recorded, place: asConfigured(place) };
  else if (move !== null && target !== null && (await isConfigured(target))) {
    location = { ...recorded, move: { ...move, target: asConfigured(target) } };
  } else if (isSaid && !(await isConfigured(previous))) {
    const alsoIn = target === null ? '' : `, being moved to ${target.setting}`;
    throw elsewhere(
      `the blocks of this server are in ${place.setting}${alsoIn}, but CAIRN_BLOCKS says ${describeSetting(configured)}. Start with CAIRN_BLOCKS=${place.setting}; to move them, then run "cairn admin blocks move ${describeSetting(configured)}"`,
      recorded,
    );
  }
  await makeSure(location.place, serverId, location);
  if (location.move !== null) await makeSure(location.move.target, serverId, location);
  return save(location);
}
