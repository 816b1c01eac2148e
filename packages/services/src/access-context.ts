import type { Environment } from '@cairn/environment';
import type { EventBus } from '@cairn/event-bus';
import type { MetadataStore } from '@cairn/metadata-store';
import type { PasswordHasher } from './accounts/password-hasher.ts';
import type { AccessTokens } from './sessions/access-tokens.ts';
import type { AttemptThrottle } from './sessions/attempt-throttle.ts';

/** What the use cases of accounts, sessions and devices share. */
export interface AccessContext {
  readonly store: MetadataStore;
  readonly bus: EventBus;
  readonly environment: Environment;
  readonly signUp: 'open' | 'invite';
  readonly setUpCode: string | null;
  readonly passwords: PasswordHasher;
  readonly accessTokens: AccessTokens;
  /** Logins of one account from one address. */
  readonly accountThrottle: AttemptThrottle;
  /** Logins of one account from anywhere: bounded low, since anybody can make them fail. */
  readonly everywhereThrottle: AttemptThrottle;
  /** Logins from one address to any account. */
  readonly addressThrottle: AttemptThrottle;
  readonly setUpThrottle: AttemptThrottle;
}
