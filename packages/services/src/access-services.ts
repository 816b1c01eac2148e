import type { Environment } from '@cairn/environment';
import type { EventBus } from '@cairn/event-bus';
import type { MetadataStore } from '@cairn/metadata-store';
import type { AccessContext } from './access-context.ts';
import type { AccessServices } from './access-services-types.ts';
import { changePassword } from './accounts/change-password.ts';
import { describeAccount, describeSignUp } from './accounts/describe-account.ts';
import { createPasswordHasher, type PasswordCost } from './accounts/password-hasher.ts';
import { registerAccount } from './accounts/register-account.ts';
import { isDeviceActive, listDevices, noteDeviceSeen } from './devices/list-devices.ts';
import { revokeDevice } from './devices/revoke-device.ts';
import { createAccessTokens } from './sessions/access-tokens.ts';
import { createAttemptThrottle } from './sessions/attempt-throttle.ts';
import { authenticate } from './sessions/authenticate.ts';
import { login } from './sessions/login.ts';
import { refreshSession } from './sessions/refresh-session.ts';

const MINUTE_MS = 60_000;

export interface AccessDependencies {
  readonly store: MetadataStore;
  readonly bus: EventBus;
  readonly environment: Environment;
  /** At least 32 random bytes; who knows them can sign in as anybody. */
  readonly secret: Uint8Array;
  readonly signUp: 'open' | 'invite';
  /** What the first account needs where sign-up is by invitation; `null`: nobody can make it. */
  readonly setUpCode: string | null;
  /** Cheaper hashing, for tests. */
  readonly passwordCost?: PasswordCost;
}

/** The use cases of accounts, sessions and devices, on the given adapters. */
export function createAccessServices(dependencies: AccessDependencies): AccessServices {
  const { store, bus, environment, secret, signUp, setUpCode, passwordCost } = dependencies;
  if (secret.length < 32) throw new Error('the secret needs at least 32 bytes');
  const { clock } = environment;
  const context: AccessContext = {
    store,
    bus,
    environment,
    signUp,
    setUpCode,
    passwords: createPasswordHasher(environment.random, passwordCost),
    accessTokens: createAccessTokens(secret, clock),
    accountThrottle: createAttemptThrottle(clock, { freeAttempts: 5, maxDelayMs: 15 * MINUTE_MS }),
    everywhereThrottle: createAttemptThrottle(clock, { freeAttempts: 50, maxDelayMs: MINUTE_MS }),
    addressThrottle: createAttemptThrottle(clock, { freeAttempts: 20, maxDelayMs: 15 * MINUTE_MS }),
    setUpThrottle: createAttemptThrottle(clock, { freeAttempts: 5, maxDelayMs: MINUTE_MS }),
  };
  return {
    accounts: {
      register: (request, caller) => registerAccount(context, request, caller),
      describeSignUp: () => describeSignUp(context),
      describe: (principal) => describeAccount(context, principal),
      changePassword: (principal, request, caller) => changePassword(context, principal, request, caller),
    },
    sessions: {
      login: (request, caller) => login(context, request, caller),
      refresh: (refreshToken) => refreshSession(context, refreshToken),
      logout: (principal) => revokeDevice(context, principal, principal.deviceId),
      authenticate: (accessToken) => authenticate(context, accessToken),
    },
    devices: {
      list: (principal) => listDevices(context, principal),
      revoke: (principal, deviceId) => revokeDevice(context, principal, deviceId),
      noteSeen: (principal) => noteDeviceSeen(context, principal),
      isActive: (principal) => isDeviceActive(context, principal),
    },
  };
}
