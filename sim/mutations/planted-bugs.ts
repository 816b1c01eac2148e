/**
 * Bugs to plant, one at a time, in a copy of the sources: proof that the tests would notice. Each is a small change
 * of the kind that people make. `find` must stand exactly once in its file (a test checks it), so a bug follows the
 * code it is about or is found to have lost it.
 */
export interface PlantedBug {
  readonly name: string;
  /** What goes wrong for a user. */
  readonly harm: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Who should notice, tried in this order until one does. */
  readonly detectors: readonly Detector[];
}

/**
 * `sim`: the seeded world; `planner`: the planner's property tests; `tests:<folder>`: that folder's tests, for what
 * lies below the simulated disk.
 */
export type Detector = 'sim' | 'planner' | `tests:${string}`;

const planner: PlantedBug[] = [
  {
    name: 'planner-delete-beats-edit-here',
    harm: 'a file that was edited here is deleted because it was deleted elsewhere',
    file: 'packages/planner/src/view.ts',
    find: "if (contents === 'different' || carriedByLocalMove(id)) return 'stays';",
    replace: "if (carriedByLocalMove(id)) return 'stays';",
    detectors: ['planner', 'sim'],
  },
  {
    name: 'planner-delete-beats-edit-there',
    harm: 'a delete here takes away what another device has edited',
    file: 'packages/planner/src/view.ts',
    find: "if (moved(r, s) || compareContents(r, s) !== 'same' || carriedByRemoteMove(id)) return 'stays';",
    replace: "if (moved(r, s) || carriedByRemoteMove(id)) return 'stays';",
    detectors: ['planner', 'sim'],
  },
  {
    name: 'planner-absence-is-deletion',
    harm: 'what cannot be seen is deleted everywhere',
    file: 'packages/planner/src/view.ts',
    find: "if (node.state === 'unknown') return 'unreadable';",
    replace: '',
    detectors: ['planner', 'sim'],
  },
  {
    name: 'planner-unread-is-equal',
    harm: 'an edit that has not been read yet counts as no edit',
    file: 'packages/planner/src/differences.ts',
    find: "if (firstId === null || secondId === null) return 'unknown';",
    replace: "if (firstId === null || secondId === null) return 'same';",
    detectors: ['planner', 'sim'],
  },
  {
    name: 'planner-server-wins-silently',
    harm: 'of two edits one is overwritten without a conflict copy',
    file: 'packages/planner/src/decide.ts',
    find: "else if (synced !== undefined && compareContents(local, synced) === 'same') {",
    replace: 'else if (synced !== undefined) {',
    detectors: ['planner', 'sim'],
  },
  {
    name: 'planner-cycle-does-not-yield',
    harm: 'two folders moved into each other: the devices never come to rest',
    file: 'packages/planner/src/view.ts',
    find: "(id) => local(id)?.kind === 'folder' && remote(id) !== undefined && target(id).side === 'up',",
    replace: '(id) => id === rootId,',
    detectors: ['planner', 'sim'],
  },
  {
    name: 'planner-kept-folder-forgets-no-child',
    harm: 'a folder that another device moved comes back, and its files are deleted as removed here',
    file: 'packages/planner/src/decide.ts',
    find: "if (remote.kind === 'folder' && carries && hasUnforgotten(view, entryId)) return;",
    replace: '',
    detectors: ['planner', 'sim'],
  },
  {
    name: 'planner-brake-never-holds',
    harm: 'an emptied folder empties every other device',
    file: 'packages/planner/src/brake.ts',
    find: 'if (ids.length === 0 || ids.length <= limit || confirmed.has(direction)) continue;',
    replace: 'if (ids.length >= 0 || limit < 0 || confirmed.has(direction)) continue;',
    detectors: ['planner', 'sim'],
  },
];

const engine: PlantedBug[] = [
  {
    name: 'engine-removes-what-moved-out',
    harm: 'a folder is removed on the server while a file that was moved out of it is still there',
    file: 'packages/sync-engine/src/execute/push.ts',
    find: 'if (stillHoldsSomethingOfOurs(deps, entryId, leaving)) return null;',
    replace: '',
    detectors: ['sim'],
  },
  {
    name: 'engine-old-agreement-after-restore',
    harm: 'after the server was restored from a backup, newer files are deleted',
    file: 'packages/sync-engine/src/observe/follow.ts',
    find: '      trees.synced.clear();\n      cursor = await takeSnapshot(deps, signal);',
    replace: '      cursor = await takeSnapshot(deps, signal);',
    detectors: ['sim'],
  },
  {
    name: 'engine-old-agreement-after-lost-database',
    harm: 'a folder copied from elsewhere is taken for the known one, and what it lacks is deleted',
    file: 'packages/sync-engine/src/root-marker.ts',
    find: '  trees.synced.clear();\n  trees.local.clear();',
    replace: '  trees.local.clear();',
    detectors: ['sim', 'tests:packages/sync-engine'],
  },
  {
    name: 'engine-unmounted-root-is-empty',
    harm: 'an unmounted disk deletes everything everywhere',
    file: 'packages/sync-engine/src/root-marker.ts',
    find: 'if (marker === null || marker.linkId !== trees.getValue(LINK_VALUE)) throw missingMarker();',
    replace: 'if (marker !== null && marker.linkId !== trees.getValue(LINK_VALUE)) throw missingMarker();',
    detectors: ['sim', 'tests:packages/sync-engine'],
  },
  {
    name: 'engine-removed-folder-leaves-children',
    harm: 'the remote tree keeps children of a folder that is gone',
    file: 'packages/sync-engine/src/observe/follow.ts',
    find: 'for (const id of descendantsIn(remote, change.entryId).reverse()) remote.delete(id);',
    replace: '',
    detectors: ['sim'],
  },
  {
    name: 'engine-torn-read',
    harm: 'a file that changes while it is read is uploaded as a mixture',
    file: 'packages/sync-engine/src/execute/inspect.ts',
    find: 'if (after.fingerprint !== node.fingerprint || content.sizeBytes !== after.sizeBytes) return changed();',
    replace: 'if (after.sizeBytes < 0) return changed();',
    detectors: ['sim'],
  },
  {
    name: 'engine-names-not-durable',
    harm: 'after a power cut files that were noted as synced are gone, and count as deleted',
    file: 'packages/sync-engine/src/engine.ts',
    find: 'await syncWhatIsThere(filesystem, folders);',
    replace: 'await syncWhatIsThere(filesystem, []);',
    detectors: ['sim'],
  },
  {
    name: 'engine-unanswered-is-done',
    harm: 'a commit that never happened counts as agreed, and the edit is overwritten',
    file: 'packages/sync-engine/src/execute/unanswered.ts',
    find: 'if (old !== undefined && remote.sequence > change.baseSequence && holds(remote, change))',
    replace: 'if (old !== undefined)',
    detectors: ['sim'],
  },
  {
    name: 'engine-old-bytes-uploaded-as-new',
    harm: 'what was read before an edit is noted as the content after it',
    file: 'packages/sync-engine/src/execute/inspect.ts',
    find: 'if (now === undefined || now.fingerprint !== node.fingerprint) return;',
    replace: 'if (now === undefined) return;',
    detectors: ['sim'],
  },
  {
    name: 'engine-fork-not-durable',
    harm: 'killed while it makes a conflict copy, the device takes the copy for a rename of the original',
    file: 'packages/sync-engine/src/execute/apply.ts',
    find: '  await deps.makeDurable();\n',
    replace: '',
    detectors: ['sim'],
  },
  {
    name: 'engine-unreadable-place-is-left',
    harm: 'a move is concluded from a place that could not be read',
    file: 'packages/sync-engine/src/observe/match.ts',
    find: "if (there === 'unreadable') return false;",
    replace: "if (there === 'unreadable') return true;",
    detectors: ['sim'],
  },
  {
    name: 'engine-hint-is-truth',
    harm: 'what happened while nobody watched is never found',
    file: 'packages/sync-engine/src/engine.ts',
    find: 'if (now - this.#lastFullScanMs >= this.#fullScanMs()) this.#attention.everything();',
    replace: '',
    detectors: ['sim'],
  },
  {
    name: 'engine-upload-forgets-blocks',
    harm: 'after the server lost blocks it is asked again and again for the same commit',
    file: 'packages/sync-engine/src/execute/push.ts',
    find: 'for (const each of prepared) forgetUploaded(deps, each.node);',
    replace: '',
    detectors: ['sim'],
  },
];

const disk: PlantedBug[] = [
  {
    name: 'disk-knows-more-than-it-holds',
    harm: 'a temporary file is placed before its bytes are durable; a power cut leaves zeros under a name',
    file: 'packages/sync-engine/src/execute/download.ts',
    find: 'await temporary.sync({ executable, modifiedAtUs });',
    replace: '',
    detectors: ['sim'],
  },
  {
    name: 'simulated-disk-replaces-anything',
    harm: 'placing does not check what it replaces',
    file: 'packages/filesystem/src/memory/memory-port.ts',
    find: "if (disk.statusOf(node).fingerprint !== fingerprint) throw changedError(path, 'it has changed meanwhile');",
    replace: '',
    detectors: ['sim', 'tests:packages/filesystem'],
  },
  {
    name: 'disk-replaces-anything',
    harm: 'a download overwrites what the user has just saved',
    file: 'packages/filesystem/src/node/placement.ts',
    find: "if (current.fingerprint !== expected.fingerprint) throw changedError(path, 'it has changed meanwhile');",
    replace: '',
    detectors: ['tests:packages/filesystem'],
  },
  {
    name: 'disk-keeps-nothing',
    harm: 'replaced bytes are not kept',
    file: 'packages/filesystem/src/node/rescue-area.ts',
    find: 'linkSync(place.systemPath, rescued);',
    replace: 'writeFileSync(rescued, "");',
    detectors: ['tests:packages/filesystem'],
  },
];

const server: PlantedBug[] = [
  {
    name: 'commit-ignores-base',
    harm: 'a later edit overwrites an earlier one that it has never seen',
    file: 'packages/services/src/changesets/apply-update.ts',
    find: 'return before.sequence !== change.baseSequence && record.trashId === null;',
    replace: 'return false;',
    detectors: ['sim', 'tests:packages/services'],
  },
  {
    name: 'commit-removes-what-it-never-saw',
    harm: 'deleting a folder takes along a file that another device has just put in',
    file: 'packages/services/src/changesets/apply-remove.ts',
    find: "if (changed) return 'stale-base';",
    replace: '',
    detectors: ['sim', 'tests:packages/services'],
  },
  {
    name: 'commit-applies-twice',
    harm: 'a changeset sent again after a lost answer is refused or applied again',
    file: 'packages/services/src/changesets/commit-changeset.ts',
    find: 'if (earlier !== null) return { result: earlier, advanced: false };',
    replace: '',
    detectors: ['sim', 'tests:packages/services'],
  },
  {
    name: 'commit-allows-cycles',
    harm: 'two folders inside each other vanish from every tree',
    file: 'packages/services/src/changesets/apply-update.ts',
    find: "if (record.kind === 'folder' && above.some((folder) => folder.entryId === record.entryId)) return 'cycle';",
    replace: '',
    detectors: ['sim', 'tests:packages/services'],
  },
  {
    name: 'server-forgets-its-restore',
    harm: 'a server that came back from a backup looks like the one before, and devices delete what it lacks',
    file: 'packages/services/src/spaces/server-epoch.ts',
    find: 'if (kept !== undefined && kept === externalEpoch && isRandomId(kept)) return kept as Epoch;',
    replace: 'if (kept !== undefined && isRandomId(kept)) return kept as Epoch;',
    detectors: ['sim', 'tests:packages/services'],
  },
  {
    name: 'server-believes-any-cursor',
    harm: 'a device follows a history that is not the one it knows',
    file: 'packages/services/src/spaces/cursors.ts',
    find: 'if (hash === undefined || hash.slice(0, HASH_DIGITS) !== cursor.hash) {',
    replace: 'if (cursor.sequence < 0) {',
    detectors: ['sim', 'tests:packages/services'],
  },
  {
    name: 'server-commits-without-blocks',
    harm: 'a version refers to bytes that nobody has sent',
    file: 'packages/services/src/changesets/commit-changeset.ts',
    find: 'await referenceContents(transaction, principal.userId, spaceId, contents, session.now);',
    replace: '',
    detectors: ['sim', 'tests:packages/services'],
  },
];

export const PLANTED_BUGS: readonly PlantedBug[] = [...planner, ...engine, ...disk, ...server];
