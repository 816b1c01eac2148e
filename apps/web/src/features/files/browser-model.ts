import type { FileObject } from '@cairn/protocol';
import type { Destination } from '../../api/entries.ts';
import type { Selection, SelectionAction } from './selection.ts';
import type { FileActions } from './use-file-actions.ts';

/** What list and grid need; one object, so that both are the same to everything around them. */
export interface BrowserModel {
  /** In the order shown. */
  readonly entries: readonly FileObject[];
  readonly ids: readonly string[];
  readonly selection: Selection;
  readonly dispatch: (action: SelectionAction) => void;
  readonly actions: FileActions;
  /** Entry whose name is being typed over. */
  readonly renamingId: string | null;
  readonly setRenamingId: (entryId: string | null) => void;
  /** Entries that were cut are shown paler. */
  readonly cutIds: ReadonlySet<string>;
  /** Results of a search lie in many folders and say in which. */
  readonly showsPlaces: boolean;
  readonly label: string;
  readonly dropInto: (transfer: DataTransfer, to: Destination) => void;
}

/** The id that the active entry's element has, for `aria-activedescendant`. */
export function elementIdOf(entryId: string): string {
  return `entry-${entryId}`;
}

/** What is acted on: the selection when the entry is part of it, otherwise the entry alone. */
export function targetsOf(model: BrowserModel, entry: FileObject): readonly FileObject[] {
  if (!model.selection.selected.has(entry.entryId)) return [entry];
  return model.entries.filter(({ entryId }) => model.selection.selected.has(entryId));
}
