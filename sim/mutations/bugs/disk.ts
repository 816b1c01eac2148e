import type { PlantedBug } from '../planted-bug.ts';

export const DISK_BUGS: readonly PlantedBug[] = [
  {
    name: 'disk-knows-more-than-it-holds',
    harm: 'a temporary file is placed before its bytes are durable; a power cut leaves zeros under a name',
    file: 'packages/sync-engine/src/execute/place-files.ts',
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
  {
    name: 'disk-half-move-is-never-finished',
    harm: 'a file that a killed device had moved half is refused for ever',
    file: 'packages/filesystem/src/node/rearranging.ts',
    find: '} else if (isHalfMoved(source, destination, current, there)) {',
    replace: '} else if (current.kind === "folder" && isHalfMoved(source, destination, current, there)) {',
    detectors: ['tests:packages/filesystem/src/node'],
  },
  {
    name: 'disk-sentinel-always-works',
    harm: 'a watcher that went silent is trusted, and changes are seen late',
    file: 'packages/filesystem/src/node/watch-sentinel.ts',
    find: 'cancel = environment.timers.schedule(GRACE_MS, () => settle(false));',
    replace: 'cancel = environment.timers.schedule(GRACE_MS, () => settle(true));',
    detectors: ['tests:packages/filesystem/src/node'],
  },
];
