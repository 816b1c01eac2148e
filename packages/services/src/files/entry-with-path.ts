import type { Entry } from '@cairn/model';

/** An entry and where it is. */
export interface EntryWithPath {
  readonly entry: Entry;
  /** Server path such as `/docs/a.txt`. */
  readonly path: string;
}
