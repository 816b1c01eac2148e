import { useQuery } from '@tanstack/react-query';
import { compareApart } from './compare-apart.ts';
import type { TextComparison } from './compare-texts.ts';
import { type ContentRef, readText } from './read-text.ts';

export type ComparisonResult = TextComparison | { readonly outcome: 'not-text' };

async function compareContents(
  older: ContentRef,
  newer: ContentRef,
  signal: AbortSignal,
): Promise<ComparisonResult> {
  const [one, other] = await Promise.all([readText(older, signal), readText(newer, signal)]);
  if (one.kind !== 'text') return { outcome: one.kind };
  if (other.kind !== 'text') return { outcome: other.kind };
  return compareApart(one.text, other.text, signal);
}

/** Two versions as a comparison of texts. Versions never change, so it is never asked again. */
export function useComparison(older: ContentRef, newer: ContentRef) {
  return useQuery({
    queryKey: ['comparison', older.entryId, older.versionId, newer.entryId, newer.versionId],
    queryFn: ({ signal }) => compareContents(older, newer, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}
