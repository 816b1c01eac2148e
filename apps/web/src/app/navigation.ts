import {
  Activity,
  Folder,
  GitCompareArrows,
  HeartPulse,
  type LucideIcon,
  Settings,
  Trash2,
} from 'lucide-react';
import { t } from '../strings/t.ts';

export interface NavigationItem {
  readonly to: '/files/$' | '/activity' | '/trash' | '/conflicts' | '/status' | '/settings';
  readonly label: string;
  /** For the bar at the bottom of phones. */
  readonly shortLabel: string;
  readonly icon: LucideIcon;
}

export const NAVIGATION: readonly NavigationItem[] = [
  { to: '/files/$', label: t('nav.files'), shortLabel: t('nav.files'), icon: Folder },
  { to: '/activity', label: t('nav.activity'), shortLabel: t('nav.activityShort'), icon: Activity },
  { to: '/trash', label: t('nav.trash'), shortLabel: t('nav.trash'), icon: Trash2 },
  { to: '/conflicts', label: t('nav.conflicts'), shortLabel: t('nav.conflicts'), icon: GitCompareArrows },
  { to: '/status', label: t('nav.health'), shortLabel: t('nav.health'), icon: HeartPulse },
  { to: '/settings', label: t('nav.settings'), shortLabel: t('nav.settings'), icon: Settings },
];
