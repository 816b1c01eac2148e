import { randomBytes } from 'node:crypto';
import { createId } from '@cairn/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createJoinPair,
  deriveNodeKey,
  formatJoinToken,
  isProven,
  parseJoinToken,
  proveParts,
} from './node-joining.ts';
import { openSealedBytes, sealBytes } from './sealed-text.ts';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('joining a cluster', () => {
  test('both sides come to the same key, and to another one with anything else', () => {
    const secret = randomBytes(32);
    const [node, cluster, stranger] = [createJoinPair(), createJoinPair(), createJoinPair()];
    const keys = [
      deriveNodeKey(node.privateKey, cluster.publicKey, secret, 'n1', node.publicKey),
      deriveNodeKey(cluster.privateKey, node.publicKey, secret, 'n1', node.publicKey),
      deriveNodeKey(stranger.privateKey, node.publicKey, secret, 'n1', node.publicKey),
      deriveNodeKey(cluster.privateKey, node.publicKey, randomBytes(32), 'n1', node.publicKey),
      deriveNodeKey(cluster.privateKey, node.publicKey, secret, 'n2', node.publicKey),
    ].map((key) => Buffer.from(key).toString('hex'));
    expect(keys[0]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(4);
  });

  test('points that make a known secret are refused', () => {
    const own = createJoinPair();
    for (const point of [
      new Uint8Array(32),
      Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? 1 : 0)),
    ]) {
      expect(() => deriveNodeKey(own.privateKey, point, randomBytes(32), 'n', own.publicKey)).toThrow(
        'not usable',
      );
    }
    expect(() =>
      deriveNodeKey(own.privateKey, new Uint8Array(31), randomBytes(32), 'n', own.publicKey),
    ).toThrow();
  });

  test('a proof holds for exactly what was said under exactly that secret', () => {
    fc.assert(
      fc.property(
        bytes32,
        fc.array(fc.string(), { maxLength: 4 }),
        fc.array(fc.string(), { maxLength: 4 }),
        (secret, said, other) => {
          const proof = proveParts(secret, 'label', said);
          expect(isProven(proof, secret, 'label', said)).toBe(true);
          expect(isProven(proof, secret, 'other', said)).toBe(false);
          expect(isProven(proof, randomBytes(32), 'label', said)).toBe(false);
          if (JSON.stringify(said) !== JSON.stringify(other))
            expect(isProven(proof, secret, 'label', other)).toBe(false);
          expect(isProven(proof.subarray(1), secret, 'label', said)).toBe(false);
        },
      ),
    );
    expect(isProven(proveParts(randomBytes(32), 'l', ['ab', 'c']), randomBytes(32), 'l', ['a', 'bc'])).toBe(
      false,
    );
  });

  test('a token is read as it was written, and nothing else is one', () => {
    fc.assert(
      fc.property(bytes32, fc.uint8Array({ minLength: 16, maxLength: 16 }), (secret, id) => {
        const token = { tokenId: createId<string>(id), secret: Buffer.from(secret) };
        expect(parseJoinToken(` ${formatJoinToken(token)}\n`)).toEqual(token);
      }),
    );
    for (const text of ['', 'x', 'a.b', `${'a'.repeat(26)}.${'b'.repeat(42)}`]) {
      expect(() => parseJoinToken(text)).toThrow('no join token');
    }
  });
});

describe('sealing', () => {
  test('opens for the same secret, purpose and name, and for nothing else, nor when a bit differs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (plain, at) => {
        const sealed = sealBytes('secret', 'purpose', 'name', plain, randomBytes(12));
        expect(openSealedBytes('secret', 'purpose', 'name', sealed)).toEqual(plain);
        const flipped = Uint8Array.from(sealed);
        const index = at % flipped.length;
        flipped[index] = (flipped[index] as number) ^ 4;
        for (const attempt of [
          () => openSealedBytes('other', 'purpose', 'name', sealed),
          () => openSealedBytes('secret', 'other', 'name', sealed),
          () => openSealedBytes('secret', 'purpose', 'other', sealed),
          () => openSealedBytes('secret', 'purpose', 'name', flipped),
          () => openSealedBytes('secret', 'purpose', 'name', sealed.subarray(0, index)),
        ]) {
          expect(attempt).toThrow(expect.objectContaining({ code: 'not-configured' }));
        }
      }),
    );
  });
});
