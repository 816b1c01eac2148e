import type { EntryId } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { useQuery } from '@tanstack/react-query';
import { readEntry } from '../../api/entries.ts';

/** An entry that the address names: of what is shown, or of the server. Null while, or because, there is none. */
export function useEntryById(entryId: string | undefined, shown: readonly FileObject[]): FileObject | null {
  const here = entryId === undefined ? undefined : shown.find((entry) => entry.entryId === entryId);
  const { data } = useQuery({
    queryKey: ['entry', entryId],
    queryFn: ({ signal }) => readEntry(entryId as EntryId, signal),
    enabled: entryId !== undefined && here === undefined,
    meta: { live: true },
  });
  return entryId === undefined ? null : (here ?? data ?? null);
}
