import type { DeviceId } from '@cairn/model';
import { CairnError, isCairnError } from '@cairn/model';
import {
  type DeviceDescription,
  devicesResponseSchema,
  type MeResponse,
  meResponseSchema,
  PROTOCOL_VERSION,
  type ServerResponse,
  type SignedIn,
  serverResponseSchema,
} from '@cairn/protocol';
import { type Api, apiPath } from './api.ts';
import type { SessionRecord, SessionStore } from './session-store.ts';
import { bearerCarrier, type TokenCarrier } from './token-carrier.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly deviceName: string;
}

/** Accounts and devices. What signs in also stores the session of this device. */
export interface AccountClient {
  /** What the server is; throws `not-a-cairn-server` or `protocol-mismatch`. */
  server(signal?: AbortSignal): Promise<ServerResponse>;
  register(credentials: Credentials & { readonly setUpCode?: string }): Promise<SessionRecord>;
  /** A device that was signed in to this account before stays the same device. */
  login(credentials: Credentials): Promise<SessionRecord>;
  /** Forgets the sign-in here, and on the server if it can be reached. */
  logout(): Promise<{ readonly toldServer: boolean }>;
  me(signal?: AbortSignal): Promise<MeResponse>;
  devices(signal?: AbortSignal): Promise<readonly DeviceDescription[]>;
  revokeDevice(deviceId: DeviceId): Promise<void>;
}

export function createAccountClient(
  api: Api,
  store: SessionStore,
  carrier: TokenCarrier = bearerCarrier,
): AccountClient {
  const { serverUrl } = api.transport;

  async function keep(answer: SignedIn): Promise<SessionRecord> {
    const record: SessionRecord = { ...answer, serverUrl, receivedAt: api.environment.clock.now() };
    await store.write(record);
    return record;
  }

  return {
    async server(signal) {
      const server = await api.ask(
        { method: 'GET', path: '/server', anonymous: true, signal },
        serverResponseSchema,
      );
      if (server.protocolVersion !== PROTOCOL_VERSION) {
        throw new CairnError(
          'protocol-mismatch',
          `${serverUrl} speaks protocol ${server.protocolVersion}, this program ${PROTOCOL_VERSION}. Update the older of the two`,
        );
      }
      return server;
    },
    register: (request) =>
      store.exclusively(async () =>
        keep(
          await api.ask(
            {
              method: 'POST',
              path: '/auth/register',
              json: { ...request, ...carrier.signIn },
              anonymous: true,
              once: true,
            },
            carrier.signedIn,
          ),
        ),
      ),
    login: (credentials) =>
      store.exclusively(async () => {
        const previous = await store.read().catch(() => null);
        const deviceId =
          previous?.serverUrl === serverUrl && previous.user.username === credentials.username
            ? previous.device.deviceId
            : undefined;
        const ask = (credentials: object): Promise<SignedIn> => {
          const json = { ...credentials, ...carrier.signIn };
          return api.ask(
            { method: 'POST', path: '/auth/login', json, anonymous: true, once: true },
            carrier.signedIn,
          );
        };
        if (deviceId === undefined) return keep(await ask(credentials));
        try {
          return await keep(await ask({ ...credentials, deviceId }));
        } catch (error) {
          // A revoked or forgotten device signs in as a new one.
          if (!isCairnError(error, 'not-found', 'session-revoked')) throw error;
          return keep(await ask(credentials));
        }
      }),
    async logout() {
      let toldServer = true;
      try {
        await api.tell({ method: 'POST', path: '/auth/logout' });
      } catch (error) {
        if (!isCairnError(error)) throw error;
        // Ended already is as good as told; offline, the caller says so.
        toldServer = isCairnError(error, 'session-revoked', 'not-signed-in', 'token-expired');
      }
      await store.exclusively(() => store.remove());
      return { toldServer };
    },
    me: (signal) => api.ask({ method: 'GET', path: '/me', signal }, meResponseSchema),
    async devices(signal) {
      return (await api.ask({ method: 'GET', path: '/devices', signal }, devicesResponseSchema)).devices;
    },
    revokeDevice: (deviceId) => api.tell({ method: 'DELETE', path: apiPath`/devices/${deviceId}` }),
  };
}
