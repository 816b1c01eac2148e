/**
 * The house: which room lies on which floor. A package may import packages of lower floors and, on its own floor,
 * those named in `beside`. Kept in step with ARCHITECTURE.md by the check.
 */
export const FLOORS: readonly (readonly string[])[] = [
  ['model', 'environment', 'kernels'],
  ['bulk-http', 'content', 'crypto', 'planner', 'protocol'],
  ['filesystem', 'tree-store', 'metadata-store', 'block-store', 'event-bus'],
  ['services', 'maintenance', 'client', 'sync-engine'],
  ['http-api', 'node-api'],
  ['server', 'storage-node', 'cli', 'web'],
];

/** Arrows within a floor, from → to. */
export const BESIDE: Readonly<Record<string, readonly string[]>> = {
  // The interfaces of the outer world speak no ids, but their log speaks no other language either.
  environment: ['model'],
  // Jobs do what people may do too, such as emptying a trash, but ask nobody.
  maintenance: ['services'],
  // One binary: `cairn serve` and `cairn node` start what those apps compose.
  cli: ['server', 'storage-node'],
};

/** Exported functions that make an adapter; only apps (and tests) may name them. */
export const ADAPTERS: readonly string[] = [
  'openSqliteMetadataStore',
  'openSegmentBlockStore',
  'createMemoryBlockStore',
  'createMemoryEventBus',
  'openNodeFilesystem',
  'createMemoryFilesystem',
  'openSqliteTreeStore',
  'createThumbnailPool',
  'createMemoryTreeStore',
  'createMemoryTreeDisk',
  'createNodeTransport',
  'createFileSessionStore',
  'createSystemEnvironment',
  'createNodePlatform',
  'createBrowserTransport',
  'createBrowserPlatform',
  'createBrowserEnvironment',
];

/** Global sources of time, chance and waiting, which below the apps come from the environment only. */
export const AMBIENT: readonly { readonly name: string; readonly pattern: RegExp }[] = [
  { name: 'Date.now', pattern: /\bDate\.now\s*\(/ },
  { name: 'new Date()', pattern: /\bnew Date\(\s*\)/ },
  { name: 'performance.now', pattern: /\bperformance\.now\s*\(/ },
  { name: 'Math.random', pattern: /\bMath\.random\s*\(/ },
  { name: 'setTimeout', pattern: /(?<![.\w])setTimeout\s*\(/ },
  { name: 'setInterval', pattern: /(?<![.\w])setInterval\s*\(/ },
  { name: 'randomBytes', pattern: /\brandomBytes\s*\(/ },
  { name: 'randomUUID', pattern: /\brandomUUID\s*\(/ },
];

/** Folders whose code is an adapter to the real machine and may use it directly. */
export const AMBIENT_ALLOWED = /\/(system|node|browser)\//;

/** Longest source file, in lines; larger ones need a reason here. */
export const MAX_LINES = 450;
export const LONG_FILES: Readonly<Record<string, string>> = {};
