import type { Principal } from '../authorisation/principal.ts';
import type { EntryWithPath } from '../files/entry-with-path.ts';

/** Names in the person's own space. */
export interface SearchService {
  /**
   * Names that begin with the text, then those that have it further behind, each by name; upper and lower case, and accents,
   * make no difference. The work is bounded by the index of one space.
   * @param page `after` is `next` of the page before
   * @throws CairnError `bad-request` for an `after` of no page
   */
  find(
    principal: Principal,
    text: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<{ readonly items: readonly EntryWithPath[]; readonly next: string | null }>;
}
