import type { ContentPlatform } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type { EntryId, SpaceId } from '@cairn/model';
import { meResponseSchema } from '@cairn/protocol';
import { type AccountClient, createAccountClient } from './account-client.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { type Api, createApi } from './api.ts';
import { type ConflictsClient, createConflictsClient } from './conflicts-client.ts';
import { createCookieSession } from './cookie-session.ts';
import { createFilesClient, type FilesClient } from './files-client.ts';
import { createRetentionClient, type RetentionClient } from './retention-client.ts';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
import { refuseExposed } from './server-url.ts';
import { createSession, type Session } from './session.ts';
import type { SessionRecord, SessionStore } from './session-store.ts';
import { createSpaceClient, type SpaceClient } from './space-client.ts';
import { bearerCarrier, cookieCarrier } from './token-carrier.ts';
import type { Transport } from './transport.ts';

export interface ClientOptions {
  readonly transport: Transport;
  readonly store: SessionStore;
  readonly environment: Environment;
  readonly platform: ContentPlatform;
  /** Whether tokens and passwords may travel in clear to a server that is not on this machine. */
  readonly allowHttp?: boolean;
  readonly retry?: RetryPolicy;
  /**
   * At most so many tries of any request. A daemon, which plans again by itself, notices an outage soon with a
   * small number; a command, after which nobody tries again, had better be patient.
   */
  readonly maxAttempts?: number;
  /** In a browser: the tokens are cookies, which the server sets and no script can read. */
  readonly cookies?: boolean;
}

/** Everything one device can ask one server. */
export interface Client {
  readonly serverUrl: string;
  readonly transport: Transport;
  readonly account: AccountClient;
  readonly files: FilesClient;
  readonly conflicts: ConflictsClient;
  readonly retention: RetentionClient;
  readonly admin: AdminClient;
  /** The sign-in of this device. Throws `not-signed-in`. */
  session(): Promise<SessionRecord>;
  space(space: { readonly spaceId: SpaceId; readonly rootId: EntryId }): SpaceClient;
  /** The personal space of who is signed in. */
  personalSpace(): Promise<SpaceClient>;
  close(): void;
}

/**
 * @throws CairnError `usage` when the server is reached in clear over a network and that was not allowed
 */
export function createClient(options: ClientOptions): Client {
  const { transport, store, environment, platform } = options;
  refuseExposed(transport.serverUrl, options.allowHttp ?? false);
  const retry = options.retry ?? DEFAULT_RETRY;
  const carrier = options.cookies === true ? cookieCarrier : bearerCarrier;
  const anonymous = createApi(transport, environment, null, retry, options.maxAttempts, carrier);
  const session = openSession(options, anonymous);
  const api = createApi(transport, environment, session, retry, options.maxAttempts, carrier);
  const space = (of: { readonly spaceId: SpaceId; readonly rootId: EntryId }): SpaceClient =>
    createSpaceClient(api, platform, of);

  return {
    serverUrl: transport.serverUrl,
    transport,
    account: createAccountClient(api, store, carrier),
    files: createFilesClient(api),
    conflicts: createConflictsClient(api, () => session.require()),
    retention: createRetentionClient(api, () => session.require()),
    admin: createAdminClient(api),
    session: () => session.require(),
    space,
    async personalSpace() {
      return space(await session.require());
    },
    close: () => transport.close(),
  };
}

function openSession(options: ClientOptions, anonymous: Api): Session {
  const { store, environment } = options;
  const { serverUrl } = options.transport;
  const refresh = { method: 'POST', path: '/auth/refresh', anonymous: true, once: true } as const;
  if (options.cookies === true) {
    return createCookieSession({
      serverUrl,
      store,
      environment,
      refresh: () => anonymous.ask({ ...refresh, json: {} }, cookieCarrier.signedIn),
      me: () => anonymous.ask({ method: 'GET', path: '/me', anonymous: true }, meResponseSchema),
    });
  }
  return createSession({
    serverUrl,
    store,
    environment,
    refresh: (refreshToken, signal) =>
      anonymous.ask({ ...refresh, json: { refreshToken }, signal }, bearerCarrier.signedIn),
  });
}
