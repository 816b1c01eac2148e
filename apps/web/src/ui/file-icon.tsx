import {
  File,
  FileArchive,
  FileChartPie,
  FileCode,
  FileImage,
  FileMusic,
  FileSpreadsheet,
  FileText,
  FileVideoCamera,
  Folder,
  Link2,
  type LucideIcon,
} from 'lucide-react';
import { classNames } from './class-names.ts';
import { type FileKind, fileKindOf } from './file-kind.ts';

const ICONS: Readonly<Record<FileKind, readonly [LucideIcon, string]>> = {
  folder: [Folder, 'fill-accent/25 text-accent'],
  link: [Link2, 'text-quiet'],
  image: [FileImage, 'text-[light-dark(#7a4fb5,#c3a1f0)]'],
  video: [FileVideoCamera, 'text-[light-dark(#b23a6f,#f09abf)]'],
  audio: [FileMusic, 'text-[light-dark(#a8590a,#f0b36f)]'],
  pdf: [FileText, 'text-[light-dark(#b42318,#f2857a)]'],
  text: [FileText, 'text-[light-dark(#2f62b0,#8fb8f5)]'],
  code: [FileCode, 'text-[light-dark(#4a5753,#a7b6b1)]'],
  sheet: [FileSpreadsheet, 'text-[light-dark(#1a7431,#6fce85)]'],
  slides: [FileChartPie, 'text-[light-dark(#a8590a,#f0b36f)]'],
  archive: [FileArchive, 'text-[light-dark(#7a6320,#d6bf78)]'],
  other: [File, 'text-quiet'],
};

export interface FileIconProps {
  readonly entry: { readonly kind: 'folder' | 'file' | 'link'; readonly name: string };
  readonly className?: string;
}

/** What an entry is, at a glance. */
export function FileIcon({ entry, className }: FileIconProps) {
  const [Icon, colour] = ICONS[fileKindOf(entry)];
  return (
    <Icon aria-hidden className={classNames('shrink-0', colour, className ?? 'size-5')} strokeWidth={1.5} />
  );
}
