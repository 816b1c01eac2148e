import { z } from 'zod';
import { PROTOCOL_LIMITS } from '../constants.ts';
import { deviceIdSchema, entryIdSchema, epochSchema, spaceIdSchema, userIdSchema } from '../ids.ts';
import { instantSchema, sequenceSchema, textSchema } from '../scalars.ts';

// Length is checked by the account rules, which can say what is wrong; these bounds only keep nonsense out.
const usernameField = textSchema(256);
const passwordField = textSchema(PROTOCOL_LIMITS.maxPasswordBytes);
const deviceNameField = textSchema(PROTOCOL_LIMITS.maxDeviceNameCharacters);
/** The tokens come as cookies instead of in the answer; for the web app. */
const sessionField = z.literal('cookie').exactOptional();

/** POST /auth/register */
export const registerRequestSchema = z.strictObject({
  username: usernameField,
  password: passwordField,
  deviceName: deviceNameField,
  setUpCode: textSchema(256).exactOptional(),
  session: sessionField,
});
export type RegisterRequest = z.infer<typeof registerRequestSchema>;

/** POST /auth/login. With `deviceId` of a device of this account, that device signs in again. */
export const loginRequestSchema = z.strictObject({
  username: usernameField,
  password: passwordField,
  deviceName: deviceNameField,
  deviceId: deviceIdSchema.exactOptional(),
  session: sessionField,
});
export type LoginRequest = z.infer<typeof loginRequestSchema>;

/** POST /auth/refresh. Without a token, the one in the cookie is meant, and the new ones come as cookies. */
export const refreshRequestSchema = z.strictObject({
  refreshToken: z.string().max(256).exactOptional(),
});
export type RefreshRequest = z.infer<typeof refreshRequestSchema>;

export const userSchema = z.object({
  userId: userIdSchema,
  username: z.string(),
  role: z.enum(['administrator', 'member']),
});
export type UserDescription = z.infer<typeof userSchema>;

export const ownDeviceSchema = z.object({ deviceId: deviceIdSchema, name: z.string() });

/** Answer of register, login and refresh. */
export const signedInSchema = z.object({
  user: userSchema,
  device: ownDeviceSchema,
  /** The personal space and its root folder. */
  spaceId: spaceIdSchema,
  rootId: entryIdSchema,
  accessToken: z.string(),
  /** Milliseconds since 1970, server clock. */
  accessTokenExpiresAt: instantSchema,
  refreshToken: z.string(),
});
export type SignedIn = z.infer<typeof signedInSchema>;

/** The same where the tokens came as cookies. */
export const signedInByCookieSchema = signedInSchema.omit({ accessToken: true, refreshToken: true });
export type SignedInByCookie = z.infer<typeof signedInByCookieSchema>;

/** POST /auth/password */
export const passwordRequestSchema = z.strictObject({
  currentPassword: passwordField,
  newPassword: passwordField,
  /** Signs every other device of the account out too. */
  signOutOthers: z.boolean().exactOptional(),
});
export type PasswordRequest = z.infer<typeof passwordRequestSchema>;

/** GET /me */
export const meResponseSchema = z.object({
  user: userSchema,
  device: ownDeviceSchema,
  spaces: z.array(
    z.object({
      spaceId: spaceIdSchema,
      kind: z.enum(['personal']),
      rootId: entryIdSchema,
      role: z.enum(['owner', 'editor', 'viewer']),
      sequence: sequenceSchema,
    }),
  ),
  server: z.object({ epoch: epochSchema, version: z.string(), protocol: z.int() }),
});
export type MeResponse = z.infer<typeof meResponseSchema>;

export const deviceSchema = z.object({
  deviceId: deviceIdSchema,
  name: z.string(),
  createdAt: instantSchema,
  lastSeenAt: instantSchema,
  revokedAt: instantSchema.nullable(),
  /** Whether it is the device that asks. */
  current: z.boolean(),
});
export type DeviceDescription = z.infer<typeof deviceSchema>;

/** GET /devices */
export const devicesResponseSchema = z.object({ devices: z.array(deviceSchema) });
export type DevicesResponse = z.infer<typeof devicesResponseSchema>;

export const deviceParamsSchema = z.strictObject({ deviceId: deviceIdSchema });
