import type { LucideIcon } from 'lucide-react';

/** One line of a menu; `'line'` draws a separator. */
export type MenuEntry =
  | 'line'
  | {
      readonly label: string;
      readonly icon?: LucideIcon | undefined;
      /** Shown only, such as `F2`. */
      readonly shortcut?: string | undefined;
      readonly danger?: boolean;
      readonly disabled?: boolean;
      /** A tick before it, for choices. */
      readonly checked?: boolean;
      readonly onSelect: () => void;
    };

/** Where a menu opens, in pixels of the window: beside a box, or at a point. */
export interface MenuPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}
