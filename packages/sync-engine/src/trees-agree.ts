import type { EntryId } from '@cairn/model';
import type { Trees } from '@cairn/planner';

/**
 * Whether the three trees say the same about an entry, or none of them knows it. Where that is not so the entry has
 * to be among the candidates of every plan, also while nothing can be done about it.
 */
export function treesAgree({ remote, local, synced }: Trees, entryId: EntryId): boolean {
  const r = remote.get(entryId);
  const l = local.get(entryId);
  const s = synced.get(entryId);
  if (r === undefined || l === undefined || s === undefined)
    return r === undefined && l === undefined && s === undefined;
  if (l.state !== 'known' || r.kind !== l.kind || r.kind !== s.kind || r.sequence !== s.sequence)
    return false;
  if (r.parentId !== l.parentId || r.parentId !== s.parentId || r.name !== s.name) return false;
  if (r.name !== l.name && r.name.normalize('NFC') !== l.name.normalize('NFC')) return false;
  if (r.kind === 'link') return r.target === l.target && r.target === s.target;
  if (r.kind === 'folder') return true;
  const { contentId } = r.content;
  return (
    contentId === s.contentId &&
    contentId === l.content?.contentId &&
    r.executable === l.executable &&
    r.executable === s.executable &&
    r.modifiedAtUs === l.modifiedAtUs &&
    r.modifiedAtUs === s.modifiedAtUs
  );
}
