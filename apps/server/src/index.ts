export type { BlockFolders } from './block-folders.ts';
export {
  type OpenBlockPlacesOptions,
  type OpenedBlockPlaces,
  openBlockPlaces,
} from './block-places.ts';
export { loadBlocksKey } from './blocks-key.ts';
export {
  describeConfig,
  type LoadedConfig,
  type LogLevel,
  loadConfig,
  type ServerConfig,
  type ServerFlags,
  type Setting,
} from './config.ts';
export { type BlocksSetting, type OpenBlocksOptions, type OpenedBlocks, openBlocks } from './open-blocks.ts';
export { PRODUCT_VERSION } from './product-version.ts';
export { type RunServerFlags, type RunServerSurroundings, runServer } from './run-server.ts';
export { createServerLog } from './server-log.ts';
export { type RunningServer, type StartServerOptions, startServer } from './start-server.ts';
