import type { SeededRandom } from '@cairn/bench';

/** One deed of a user. What cannot be done as things stand is left out, as a person would. */
export type Deed =
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'move'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'make-folder'; readonly path: string }
  | { readonly kind: 'swap'; readonly left: string; readonly right: string };

/** What both users do while nothing is synced; then comes a sync. */
export interface Round {
  readonly first: readonly Deed[];
  readonly second: readonly Deed[];
}

export interface Script {
  readonly name: string;
  readonly rounds: readonly Round[];
}

const FOLDERS = ['', 'd/', 'e/', 'd/g/'];
const FILES = ['a', 'b', 'c', 'n.txt'];

/** A random script; every content in it is unique. The first round gives both something to quarrel about. */
export function createScript(name: string, random: SeededRandom): Script {
  let contents = 0;
  const path = () => random.pick(FOLDERS) + random.pick(FILES);
  const write = (by: string): Deed => ({
    kind: 'write',
    path: path(),
    content: `${name} ${by} ${++contents}\n`,
  });
  function deed(by: string): Deed {
    const choice = random.fraction();
    if (choice < 0.45) return write(by);
    if (choice < 0.6) return { kind: 'move', from: path(), to: path() };
    if (choice < 0.68) {
      const [from, to] = [random.pick(['d', 'e', 'd/g']), random.pick(['d', 'e', 'f', 'e/g', 'd/h'])];
      return { kind: 'move', from, to };
    }
    if (choice < 0.82) return { kind: 'remove', path: path() };
    if (choice < 0.87) return { kind: 'remove', path: random.pick(['d', 'e', 'd/g', 'f']) };
    if (choice < 0.93) return { kind: 'make-folder', path: random.pick(['d', 'e', 'd/g', 'f', 'a', 'd/b']) };
    return { kind: 'swap', left: path(), right: path() };
  }
  const deeds = (by: string) => Array.from({ length: random.integer(1, 5) }, () => deed(by));
  const start: Round = { first: Array.from({ length: 8 }, () => write('1')), second: [] };
  const rounds = Array.from({ length: random.integer(1, 3) }, () => ({
    first: deeds('1'),
    second: deeds('2'),
  }));
  return { name, rounds: [start, ...rounds] };
}
