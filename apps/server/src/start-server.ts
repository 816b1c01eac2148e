import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { StoreKey } from '@cairn/block-store';
import { createSystemEnvironment, type Log, silentLog } from '@cairn/environment';
import type { HttpApiLimits } from '@cairn/http-api';
import { CairnError, createId } from '@cairn/model';
import type { PasswordCost } from '@cairn/services';
import type { FastifyInstance } from 'fastify';
import { compose } from './compose.ts';
import { explainDataError } from './data-folder.ts';
import { isLoopbackHost, urlHost } from './loopback.ts';
import type { BlocksSetting } from './open-blocks.ts';

export interface StartServerOptions {
  /** The data folder; made if missing. */
  readonly data: string;
  /** `127.0.0.1` unless told. */
  readonly host?: string;
  /** 8000 unless told; 0 takes a free one. */
  readonly port?: number;
  /** `open` on loopback, else `invite`, unless told. */
  readonly signUp?: 'open' | 'invite';
  /** Made at random unless told. */
  readonly setUpCode?: string | null;
  /** Kept in the data folder unless told. */
  readonly secret?: string | null;
  /** Folder of the block store, or where else blocks are; a folder in the data folder unless told. */
  readonly blocks?: string | BlocksSetting;
  /** Seals the block store, which must be empty or have been made with it. */
  readonly blocksKey?: StoreKey | null;
  /** The blocks are where `blocks` says, whatever the database says: for what was lost or restored. */
  readonly blocksAreHere?: boolean;
  readonly trustedProxies?: readonly string[];
  /** Folder of the built web app; the one of this installation unless told, none if null. */
  readonly webApp?: string | null;
  /** Nowhere unless told. */
  readonly log?: Log;
  /** How long requests under way may take to end when the server stops; 10 s unless told. */
  readonly drainMs?: number;
  /** For tests. */
  readonly limits?: Partial<HttpApiLimits>;
  readonly passwordCost?: PasswordCost;
}

export interface RunningServer {
  /** The HTTP server itself. */
  readonly app: FastifyInstance;
  /** Such as `http://127.0.0.1:8000`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly signUp: 'open' | 'invite';
  /** What the first account needs; `null` when it needs none or exists. */
  readonly setUpCode: string | null;
  readonly hasAccounts: boolean;
  /** Ends long polls and sockets, waits for requests under way, closes the stores. May be called again. */
  stop(): Promise<void>;
}

const DRAIN_MS = 10_000;

/** 80 random bits in groups of four, to be copied from a terminal. */
function createSetUpCode(): string {
  return (createId<string>(randomBytes(16)).slice(0, 16).match(/.{4}/g) ?? []).join('-');
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<number> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new CairnError(
        'already-running',
        `port ${port} on ${host} is in use; stop the program that has it, or choose another port with --port`,
        { cause: error },
      );
    }
    if (code === 'EACCES') {
      throw new CairnError('usage', `port ${port} needs more rights; choose one above 1023 with --port`, {
        cause: error,
      });
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      throw new CairnError('usage', `${host} is not an address of this machine; choose another with --host`, {
        cause: error,
      });
    }
    throw error;
  }
  return (app.server.address() as AddressInfo).port;
}

async function drain(app: FastifyInstance, drainMs: number): Promise<void> {
  // What has not ended by then is cut off; clients ask again.
  const timer = setTimeout(() => app.server.closeAllConnections(), drainMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Starts a server with embedded storage in this process.
 * @throws CairnError `already-running` (folder or port in use), `not-configured` or
 * `wrong-credentials` (the key of the block store), `storage-full`, `unavailable`, `data-damaged`, `usage`
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const data = resolve(options.data);
  const host = options.host ?? '127.0.0.1';
  const signUp = options.signUp ?? (isLoopbackHost(host) ? 'open' : 'invite');
  const setUpCode = signUp === 'invite' ? (options.setUpCode ?? createSetUpCode()) : null;
  const log = options.log ?? silentLog;
  const composition = await compose({
    data,
    blocks:
      typeof options.blocks === 'object'
        ? options.blocks
        : { kind: 'folder', directory: options.blocks ?? join(data, 'blocks') },
    blocksKey: options.blocksKey ?? null,
    blocksAreHere: options.blocksAreHere ?? false,
    secret: options.secret ?? null,
    signUp,
    setUpCode,
    ...(options.webApp === undefined ? {} : { webApp: options.webApp }),
    trustedProxies: options.trustedProxies ?? [],
    environment: createSystemEnvironment(log),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.passwordCost === undefined ? {} : { passwordCost: options.passwordCost }),
  }).catch((error: unknown) => {
    throw explainDataError(error, data);
  });
  const { app, hasAccounts } = composition;
  let stopping: Promise<void> | null = null;
  async function stop(): Promise<void> {
    await drain(app, options.drainMs ?? DRAIN_MS);
    await composition.close();
    log.info('server.stopped');
  }
  try {
    const port = await listen(app, host, options.port ?? 8000);
    log.info('server.started', { host, port, signUp });
    return {
      app,
      url: `http://${urlHost(host)}:${port}`,
      port,
      signUp,
      setUpCode: hasAccounts ? null : setUpCode,
      hasAccounts,
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
