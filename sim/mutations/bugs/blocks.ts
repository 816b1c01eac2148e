import type { PlantedBug } from '../planted-bug.ts';

const COMPACTION = 'tests:packages/block-store/src/segments/compaction.test.ts';
const COMPACTION_FAULTS = 'tests:packages/block-store/src/segments/compaction-faults.test.ts';
const SEALED = 'tests:packages/block-store/src/sealed';
const SCRUB = 'tests:packages/block-store/src/segments/scrub.test.ts';

export const BLOCK_BUGS: readonly PlantedBug[] = [
  {
    name: 'blocks-moved-is-damaged',
    harm: 'a block that is moved while it is read is reported as damaged',
    file: 'packages/block-store/src/segments/block-reading.ts',
    find: 'result.problem === null ? { at, result } : await readAgain(at, result)',
    replace: '{ at, result }',
    detectors: [COMPACTION],
  },
  {
    name: 'blocks-move-beats-later-put',
    harm: 'compaction brings an older generation back, and a late delete takes away what was stored again',
    file: 'packages/block-store/src/segments/block-index.ts',
    find: 'if (known === null || known.generation !== copy.generation || !isAt(known, from)) return;',
    replace: 'if (known === null || from.segment === 0) return;',
    detectors: [COMPACTION],
  },
  {
    name: 'blocks-file-goes-under-readers',
    harm: 'a download breaks because compaction removes the file that it reads',
    file: 'packages/block-store/src/segments/segment-reader.ts',
    find: 'const files = [...open].filter((cached) => cached.segment === segment);',
    replace: 'const files: CachedFile[] = [];',
    detectors: [COMPACTION],
  },
  {
    name: 'blocks-damage-is-not-kept',
    harm: 'the bytes of a damaged block are not kept for whoever could still use them',
    file: 'packages/block-store/src/segments/compaction.ts',
    find: 'if (segment.hasMissing) return true;',
    replace: 'if (!segment.hasMissing) return false;',
    detectors: [COMPACTION],
  },
  {
    name: 'blocks-old-index-forgets-copies',
    harm: 'after an index came back from a backup, blocks that were moved since are reported as missing',
    file: 'packages/block-store/src/segments/recovery.ts',
    find: '  for (const row of gone) index.transaction(() => index.setMissing(row.number, 0, true));\n',
    replace: '',
    detectors: [COMPACTION],
  },
  {
    name: 'blocks-scrub-believes-checksums',
    harm: 'bytes that were wrong before they were written are never found',
    file: 'packages/block-store/src/segments/scrub.ts',
    find: "return parts.verify(result.block) ? null : 'content';",
    replace: 'return null;',
    detectors: [SCRUB],
  },
  {
    name: 'blocks-scrub-counts-what-came-later',
    harm: 'what was written after a scrub counts as verified and is not read for a long time',
    file: 'packages/block-store/src/segments/block-index.ts',
    find: 'durable_bytes = excluded.durable_bytes, last_verified_at = NULL`',
    replace: 'durable_bytes = excluded.durable_bytes`',
    detectors: [SCRUB],
  },
  {
    name: 'blocks-index-before-flush',
    harm: 'after a power cut, blocks that were moved, or stored, are gone',
    file: 'packages/block-store/src/segments/segment-writer.ts',
    find: '    for (const part of parts) await part.segment.file.datasync();\n',
    replace: '',
    detectors: [COMPACTION_FAULTS],
  },
  {
    name: 'blocks-new-segment-has-no-durable-name',
    harm: 'after a power cut, a whole segment of blocks is gone',
    file: 'packages/block-store/src/segments/segment-writer.ts',
    find: '    for (const part of parts) await part.segment.file.datasync();\n    if (created.length > 0) await files.syncDirectory(segmentsDirectory);\n',
    replace: '    for (const part of parts) await part.segment.file.datasync();\n',
    detectors: [COMPACTION_FAULTS],
  },
  {
    name: 'blocks-nonce-follows-from-the-block',
    harm: 'two ways to compress one block are sealed under one nonce, and a stolen disk shows how they differ',
    file: 'packages/block-store/src/sealed/sealing.ts',
    find: 'const nonce = random.bytes(NONCE_BYTES);',
    replace: "const nonce = Buffer.from(blinded, 'hex').subarray(0, random.bytes(0).length + NONCE_BYTES);",
    detectors: [SEALED],
  },
  {
    name: 'blocks-index-has-plain-ids',
    harm: 'a stolen disk tells whether a known file is on it',
    file: 'packages/block-store/src/sealed/sealing.ts',
    find: 'const blind = (blockId: BlockId) => permute(blockId, ROUNDS);',
    replace: 'const blind = (blockId: BlockId) => permute(blockId, []);',
    detectors: [SEALED],
  },
  {
    name: 'blocks-key-is-not-asked-for',
    harm: 'a sealed store whose key files are gone opens as an empty one, and a scrub calls all of it damaged',
    file: 'packages/block-store/src/sealed/store-keys.ts',
    find: 'if (!isSealed && !hasKeyFiles) return null;',
    replace: 'if (!isSealed || !hasKeyFiles) return null;',
    detectors: [SEALED],
  },
  {
    name: 'blocks-changed-key-is-kept-twice',
    harm: 'the old key goes on opening a store whose key was changed',
    file: 'packages/block-store/src/sealed/store-keys.ts',
    find: '    if (at !== 0) isCurrent = false;',
    replace: '    if (at < 0) isCurrent = false;',
    detectors: [SEALED],
  },
];
