import { HEADER_NAMES, type SignedIn, signedInByCookieSchema, signedInSchema } from '@cairn/protocol';
import type { AnswerSchema } from './answers.ts';

/** How tokens travel between this program and the server. */
export interface TokenCarrier {
  /** For every request; `null` before signing in. */
  headersOf(token: string | null): Readonly<Record<string, string>>;
  /** The token that such headers carry. */
  tokenOf(headers: Readonly<Record<string, string>>): string;
  /** Added to a request that signs in. */
  readonly signIn: { readonly session?: 'cookie' };
  readonly signedIn: AnswerSchema<SignedIn>;
}

/** Tokens in this program's own hands, sent as `Authorization: Bearer`. */
export const bearerCarrier: TokenCarrier = {
  headersOf: (token) => (token === null ? {} : { authorization: `Bearer ${token}` }),
  tokenOf: (headers) => (headers['authorization'] ?? '').replace(/^Bearer /, ''),
  signIn: {},
  signedIn: signedInSchema,
};

/** Tokens in cookies that no script can read; the header shows that the request is the web app's own. */
export const cookieCarrier: TokenCarrier = {
  headersOf: () => ({ [HEADER_NAMES.request]: 'web' }),
  tokenOf: () => '',
  signIn: { session: 'cookie' },
  signedIn: signedInByCookieSchema.transform((answer) => ({ ...answer, accessToken: '', refreshToken: '' })),
};
