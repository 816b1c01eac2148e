import { argon2, timingSafeEqual } from 'node:crypto';
import type { Random } from '@cairn/environment';
import { CairnError } from '@cairn/model';

/** Cost of one hash: the second profile of RFC 9106. */
export interface PasswordCost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

export const PASSWORD_COST: PasswordCost = { memoryKib: 64 * 1024, passes: 3, lanes: 4 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** 64 MiB each: more at once would let anybody fill the memory by signing in. */
const MAX_CONCURRENT = 2;
const MAX_WAITING = 32;
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43})$/;

export interface PasswordHasher {
  /** PHC string of Argon2id with a new salt. Throws `unavailable` when too many are waiting. */
  hash(password: string): Promise<string>;
  /** Whether the password fits; `null` as hash takes the same time and is never right. Throws `unavailable`. */
  verify(password: string, phc: string | null): Promise<boolean>;
}

interface Derivation extends PasswordCost {
  readonly salt: Uint8Array;
}

function derive(password: string, derivation: Derivation): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        // The same password typed on another system may come in another Unicode form.
        message: Buffer.from(password.normalize('NFKC'), 'utf8'),
        nonce: derivation.salt,
        parallelism: derivation.lanes,
        memory: derivation.memoryKib,
        passes: derivation.passes,
        tagLength: HASH_BYTES,
      },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

function parsePhc(phc: string): { derivation: Derivation; hash: Uint8Array } {
  const match = PHC.exec(phc);
  if (match === null) throw new Error('a stored password hash is not an Argon2id PHC string');
  return {
    derivation: {
      memoryKib: Number(match[1]),
      passes: Number(match[2]),
      lanes: Number(match[3]),
      salt: Buffer.from(match[4] as string, 'base64'),
    },
    hash: Buffer.from(match[5] as string, 'base64'),
  };
}

/** Hashes passwords with Argon2id, at most two at once. */
export function createPasswordHasher(random: Random, cost: PasswordCost = PASSWORD_COST): PasswordHasher {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (running >= MAX_CONCURRENT) {
      if (waiting.length >= MAX_WAITING) {
        throw new CairnError(
          'unavailable',
          'the server is busy signing others in; try again in a few seconds',
          {
            details: { retryAfterMs: 5000 },
          },
        );
      }
      // The one that ends hands its place over, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running++;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  }

  const decoy: Derivation = { ...cost, salt: random.bytes(SALT_BYTES) };

  return {
    async hash(password) {
      const salt = random.bytes(SALT_BYTES);
      const hash = await inTurn(() => derive(password, { ...cost, salt }));
      return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.lanes}$${toBase64(salt)}$${toBase64(hash)}`;
    },
    async verify(password, phc) {
      if (phc === null) {
        await inTurn(() => derive(password, decoy));
        return false;
      }
      const stored = parsePhc(phc);
      const hash = await inTurn(() => derive(password, stored.derivation));
      return timingSafeEqual(hash, stored.hash);
    },
  };
}
