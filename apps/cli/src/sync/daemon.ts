import { rmSync } from 'node:fs';
import type { Client } from '@cairn/client';
import { createNodePlatform, useHashThreads } from '@cairn/content';
import { createSystemEnvironment, type Log } from '@cairn/environment';
import type { Filesystem } from '@cairn/filesystem';
import { CairnError } from '@cairn/model';
import type { DaemonRequest } from '@cairn/protocol';
import {
  createSyncEngine,
  noticeLateWrites,
  type SelectionRequest,
  type SyncEngine,
} from '@cairn/sync-engine';
import { openSqliteTreeStore } from '@cairn/tree-store';
import { activityLogPath, openActivityLog } from './activity-log.ts';
import { startControlServer } from './control-server.ts';
import { type SyncLink, socketPath, treesPath } from './links.ts';
import { ofThisProcess, trimMemoryAtRest } from './trim-memory.ts';

/** Bytes displaced by the engine are in the server's history; a local copy is kept this long besides. */
const RESCUE_AGE_MS = 7 * 24 * 3600_000;
const RESCUE_BYTES = 1024 * 1024 * 1024;
const TEMPORARY_AGE_MS = 7 * 24 * 3600_000;
const HOUSEKEEPING_MS = 10 * 60_000;

export interface DaemonOptions {
  readonly home: string;
  readonly link: SyncLink;
  /** The folder of the link; who opened it closes it. See `openSyncFolder`. */
  readonly filesystem: Filesystem;
  readonly client: Client;
  readonly deviceName: string;
  /** Most bytes of files that are received before they are committed; the engine's own bound unless told. */
  readonly aheadBytes?: number | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called when everything is open, and with the engine to watch. */
  onReady?(engine: SyncEngine): void;
}

/**
 * Runs the sync of one folder until the signal or a "stop" request: the composition root of a device. Rejects
 * with what only the user can mend.
 */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { home, link, filesystem, client, deviceName, log } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const environment = createSystemEnvironment(log);
  const opened = openSqliteTreeStore({ path: treesPath(home, link), rootId: link.rootId, environment });
  const trees = opened.store;
  if (opened.recovered === 'lost') log.warn('daemon.trees-lost', { movedTo: opened.movedTo });
  const activities = openActivityLog(activityLogPath(home, link));
  const engine = createSyncEngine({
    filesystem,
    space: client.space(link),
    trees,
    platform: createNodePlatform(useHashThreads()),
    environment,
    deviceName,
    onActivity: (activity) => activities.add(activity),
    ...(options.aheadBytes === undefined ? {} : { ahead: { maxBytes: options.aheadBytes } }),
  });
  const socket = socketPath(home, link);
  const control = await startControlServer(socket, (request) => answer(engine, request, stop));
  const housekeeping = setInterval(() => void clean(), HOUSEKEEPING_MS);
  housekeeping.unref();
  const stopTrimming = trimMemoryAtRest(engine, ofThisProcess(log), log);
  async function clean(): Promise<void> {
    try {
      await noticeLateWrites({ filesystem, trees, environment });
      await filesystem.removeOldTemporaries(TEMPORARY_AGE_MS);
      await filesystem.removeOldRescued(RESCUE_AGE_MS, RESCUE_BYTES);
    } catch (error) {
      log.warn('daemon.housekeeping-failed', { error: String(error) });
    }
  }
  try {
    await clean();
    options.onReady?.(engine);
    await engine.run(signal);
  } finally {
    clearInterval(housekeeping);
    stopTrimming();
    await control.close();
    rmSync(socket, { force: true });
    activities.close();
    trees.close();
  }
}

function answer(engine: SyncEngine, request: DaemonRequest, stop: AbortController): unknown {
  switch (request.command) {
    case 'status':
      return engine.status();
    case 'why':
      return engine.explain(request.path);
    case 'pause':
      engine.pause();
      return null;
    case 'resume':
      engine.resume();
      return null;
    case 'refresh':
      engine.refresh();
      return null;
    case 'confirm':
      if (engine.status().held === null)
        throw new CairnError('conflict', 'no deletes are held; nothing to confirm');
      engine.confirmDeletes();
      return null;
    case 'reject':
      if (engine.status().held === null)
        throw new CairnError('conflict', 'no deletes are held; nothing to take back');
      engine.rejectDeletes();
      return null;
    case 'select': {
      const { command: _command, ...choice } = request;
      return engine.select(withoutUndefined(choice)).then(() => engine.selection());
    }
    case 'stop':
      // The answer goes out first; then the engine finishes what it is writing.
      setImmediate(() => stop.abort());
      return null;
  }
}

function withoutUndefined(choice: {
  only?: string[] | undefined;
  exclude?: string[] | undefined;
  include?: string[] | undefined;
}): SelectionRequest {
  return Object.fromEntries(Object.entries(choice).filter(([, paths]) => paths !== undefined));
}
