import type { PlantedBug } from '../planted-bug.ts';

export const MAINTENANCE_BUGS: readonly PlantedBug[] = [
  {
    name: 'collection-forgets-tombstones',
    harm: 'an upload of a block that is just being deleted is acknowledged, and its bytes are gone',
    file: 'packages/metadata-store/src/sqlite/collection-writes.ts',
    find: 'WHERE tombstone.generation >= wanted.value ->> 1`',
    replace: 'WHERE tombstone.generation < 0`',
    detectors: ['tests:packages/maintenance'],
  },
  {
    name: 'collection-deletes-by-id',
    harm: 'a late delete takes what was stored again in the meantime',
    file: 'packages/maintenance/src/collect-garbage.ts',
    find: 'if (await blocks.delete(writing, run.fence)) deleted.push(tombstone);',
    replace:
      'const [there] = await blocks.locate([tombstone.blockId]); if (there != null && (await blocks.delete(there))) deleted.push(tombstone);',
    detectors: ['tests:packages/maintenance'],
  },
  {
    name: 'collection-never-looks-again-for-orphans',
    harm: 'a block whose upload was slow is deleted although files refer to it',
    file: 'packages/metadata-store/src/sqlite/collection-writes.ts',
    find: "if (row['known'] === 1) continue;",
    replace: '',
    detectors: ['tests:packages/maintenance'],
  },
  {
    name: 'collection-ignores-leases',
    harm: 'what was just sent is collected before it can be committed',
    file: 'packages/metadata-store/src/sqlite/collection-reader.ts',
    find: 'WHERE lease.block_number = blocks.number AND lease.expires_at > ?1) THEN 0',
    replace: 'WHERE lease.block_number = blocks.number AND lease.expires_at > ?1 AND 0) THEN 0',
    detectors: ['tests:packages/maintenance'],
  },
  {
    name: 'collection-knows-no-quarantine',
    harm: 'after a restore the server deletes what devices are about to bring back into use',
    file: 'packages/maintenance/src/collect-garbage.ts',
    find: 'if (renewedAt !== null && now < renewedAt + graceMs) {',
    replace: 'if (renewedAt !== null && now < renewedAt) {',
    detectors: ['tests:packages/maintenance'],
  },
  {
    name: 'retention-thins-undecided-conflicts',
    harm: 'what both sides of a conflict were made from is gone before anybody has decided',
    file: 'packages/maintenance/src/thin-versions.ts',
    find: '(await listConflictEntries(reader, spaceId)).has(entryId)',
    replace: 'false',
    detectors: ['tests:packages/maintenance'],
  },
  {
    name: 'retention-takes-the-current-version',
    harm: 'a file that nobody changed for long cannot be read',
    file: 'packages/maintenance/src/choose-versions-to-thin.ts',
    find: 'versionId === current || ',
    replace: '',
    detectors: ['tests:packages/maintenance'],
  },
  {
    name: 'trash-purges-what-came-back',
    harm: 'a folder that is restored while the trash is emptied loses what it had left',
    file: 'packages/services/src/trash/purge-trash.ts',
    find: 'entry?.trashId === trashId',
    replace: 'entry !== undefined',
    detectors: ['tests:packages/services/src/trash'],
  },
];
