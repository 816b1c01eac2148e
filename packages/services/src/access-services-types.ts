import type { DeviceId } from '@cairn/model';
import type {
  DeviceDescription,
  LoginRequest,
  MeResponse,
  PasswordRequest,
  RegisterRequest,
  SignedIn,
} from '@cairn/protocol';
import type { Principal } from './authorisation/principal.ts';

/** Who asks, before it is known for whom. */
export interface Caller {
  /** The network address that attempts are counted by; `null` where many share one (loopback, a proxy). */
  readonly address: string | null;
}

export interface SignUpDescription {
  readonly signUp: 'open' | 'invite' | 'closed';
  readonly setUpNeeded: boolean;
  readonly needsSetUpCode: boolean;
  readonly hasAccounts: boolean;
}

export interface AccountsService {
  /**
   * Creates an account and signs its first device in. The first account is the administrator.
   * @throws CairnError `sign-up-closed`, `set-up-code-wrong`, `name-taken`, `bad-name`, `bad-request`,
   * `too-many-attempts`, `unavailable`
   */
  register(request: Omit<RegisterRequest, 'session'>, caller: Caller): Promise<SignedIn>;
  /** Who may sign up, and whether the first account is still to be made. */
  describeSignUp(): Promise<SignUpDescription>;
  /**
   * Gives the account another password. The principal's device stays signed in; the others too, unless told.
   * @throws CairnError `wrong-credentials` (the current password), `bad-request` (the new one),
   * `too-many-attempts`, `unavailable`
   */
  changePassword(principal: Principal, request: PasswordRequest, caller: Caller): Promise<void>;
  /** The principal, their device and spaces, and the epoch of the server. */
  describe(
    principal: Principal,
  ): Promise<Pick<MeResponse, 'user' | 'device' | 'spaces'> & { readonly epoch: string }>;
}

export interface SessionsService {
  /**
   * Signs in with a password; a `deviceId` of this account signs that device in again.
   * @throws CairnError `wrong-credentials`, `too-many-attempts` (details.retryAfterMs), `unavailable`
   */
  login(request: Omit<LoginRequest, 'session'>, caller: Caller): Promise<SignedIn>;
  /**
   * Changes a refresh token for new tokens. One that was used and replaced before is theft: the device is signed
   * out. @throws CairnError `session-revoked`
   */
  refresh(refreshToken: string): Promise<SignedIn>;
  /** Signs this device out at once. */
  logout(principal: Principal): Promise<void>;
  /**
   * For whom an access token speaks. Looks the device up each time: a revoked one is out at once.
   * @throws CairnError `not-signed-in`, `token-expired`, `session-revoked`
   */
  authenticate(accessToken: string): Promise<AuthenticatedToken>;
}

export interface AuthenticatedToken {
  readonly principal: Principal;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface DevicesService {
  /** The principal's devices, signed-in ones first, then the latest seen. */
  list(principal: Principal): Promise<readonly DeviceDescription[]>;
  /** Signs one of the principal's devices out at once. @throws CairnError `not-found` */
  revoke(principal: Principal, deviceId: DeviceId): Promise<void>;
  /** Notes that the device is there. */
  noteSeen(principal: Principal): Promise<void>;
  /** Whether the device may still act; for connections that stay open. */
  isActive(principal: Principal): Promise<boolean>;
}

export interface AccessServices {
  readonly accounts: AccountsService;
  readonly sessions: SessionsService;
  readonly devices: DevicesService;
}
