import { CHUNK_RULES, type ChunkProfileName } from '../chunk-rules.ts';

/** How to make the bytes of a golden case; small enough to be written down instead of the bytes. */
export interface GoldenInput {
  readonly make: 'random' | 'text' | 'zeros' | 'text-after-one-byte';
  readonly sizeBytes: number;
}

/** Marsaglia's xorshift32, seeded the same for every case. */
function createRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function makeText(sizeBytes: number): Uint8Array {
  const random = createRandom();
  const bytes = new Uint8Array(sizeBytes);
  let column = 0;
  for (let index = 0; index < sizeBytes; index++) {
    // Letters a to p, the early ones more often; a space or a line end now and then.
    const value = random();
    column++;
    if (value % 6 === 0) {
      bytes[index] = column > 60 ? 0x0a : 0x20;
      if (column > 60) column = 0;
    } else {
      bytes[index] = 0x61 + ((value >>> 8) & 15 & ((value >>> 16) & 15));
    }
  }
  return bytes;
}

export function makeGoldenInput({ make, sizeBytes }: GoldenInput): Uint8Array {
  switch (make) {
    case 'zeros':
      return new Uint8Array(sizeBytes);
    case 'random': {
      const random = createRandom();
      const bytes = new Uint8Array(sizeBytes);
      for (let index = 0; index < sizeBytes; index++) bytes[index] = random() >>> 24;
      return bytes;
    }
    case 'text':
      return makeText(sizeBytes);
    case 'text-after-one-byte': {
      const bytes = new Uint8Array(sizeBytes);
      bytes[0] = 0x21;
      bytes.set(makeText(sizeBytes - 1), 1);
      return bytes;
    }
  }
}

/** The cases that every profile has in `golden-cuts.json`. */
export function listGoldenInputs(profile: ChunkProfileName): GoldenInput[] {
  const { minBytes, maxBytes } = CHUNK_RULES[profile];
  const edges = [0, 1, minBytes - 1, minBytes, minBytes + 1, maxBytes - 1, maxBytes, maxBytes + 1];
  const long = 20 * minBytes;
  return [
    ...edges.map((sizeBytes): GoldenInput => ({ make: 'zeros', sizeBytes })),
    ...edges.map((sizeBytes): GoldenInput => ({ make: 'random', sizeBytes })),
    { make: 'random', sizeBytes: long },
    { make: 'text', sizeBytes: long },
    { make: 'text-after-one-byte', sizeBytes: long + 1 },
  ];
}
