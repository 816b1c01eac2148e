/** Which entries are selected, where the keyboard is, and where a range began; all by entry id. */
export interface Selection {
  readonly selected: ReadonlySet<string>;
  readonly active: string | null;
  readonly anchor: string | null;
}

export const NOTHING_SELECTED: Selection = { selected: new Set(), active: null, anchor: null };

export type SelectionAction =
  /** A click, or a step of the keyboard. */
  | { readonly type: 'only'; readonly id: string }
  | { readonly type: 'toggle'; readonly id: string }
  /** From the anchor to here. `add` keeps what was selected before. */
  | { readonly type: 'range'; readonly id: string; readonly ids: readonly string[]; readonly add: boolean }
  /** The keyboard moves, the selection stays. */
  | { readonly type: 'walk'; readonly id: string }
  | { readonly type: 'all'; readonly ids: readonly string[] }
  | { readonly type: 'clear' }
  /** Entries went: they are neither selected nor active any more; `next` becomes active. */
  | { readonly type: 'keep'; readonly ids: ReadonlySet<string>; readonly next: string | null };

/** What an action makes of the selection. */
export function select(state: Selection, action: SelectionAction): Selection {
  switch (action.type) {
    case 'only':
      return { selected: new Set([action.id]), active: action.id, anchor: action.id };
    case 'toggle': {
      const selected = new Set(state.selected);
      if (!selected.delete(action.id)) selected.add(action.id);
      return { selected, active: action.id, anchor: action.id };
    }
    case 'range': {
      const from = state.anchor === null ? -1 : action.ids.indexOf(state.anchor);
      const to = action.ids.indexOf(action.id);
      if (to < 0) return state;
      const start = from < 0 ? to : from;
      const range = action.ids.slice(Math.min(start, to), Math.max(start, to) + 1);
      return {
        selected: new Set(action.add ? [...state.selected, ...range] : range),
        active: action.id,
        anchor: from < 0 ? action.id : state.anchor,
      };
    }
    case 'walk':
      return { ...state, active: action.id };
    case 'all':
      return { ...state, selected: new Set(action.ids) };
    case 'clear':
      return state.selected.size === 0 ? state : { ...state, selected: new Set(), anchor: state.active };
    case 'keep': {
      const selected = new Set([...state.selected].filter((id) => action.ids.has(id)));
      const stays = state.active === null || action.ids.has(state.active);
      if (stays && selected.size === state.selected.size) return state;
      const active = stays ? state.active : action.next;
      return { selected, active, anchor: stays ? state.anchor : action.next };
    }
  }
}
