export type FileKind =
  | 'folder'
  | 'link'
  | 'image'
  | 'video'
  | 'audio'
  | 'pdf'
  | 'text'
  | 'code'
  | 'sheet'
  | 'slides'
  | 'archive'
  | 'other';

const EXTENSIONS: Readonly<Record<Exclude<FileKind, 'folder' | 'link' | 'other'>, string>> = {
  image: 'jpg jpeg png gif webp avif bmp tif tiff heic heif svg ico',
  video: 'mp4 m4v webm mov mkv avi ogv',
  audio: 'mp3 m4a aac ogg oga opus flac wav',
  pdf: 'pdf',
  text: 'txt md markdown rtf doc docx odt log tex pages',
  code: 'js mjs cjs ts tsx jsx json html htm css scss py rb rs go java kt c h cpp hpp cs sh bash zsh ps1 sql xml yml yaml toml ini php swift lua',
  sheet: 'xls xlsx ods csv tsv numbers',
  slides: 'ppt pptx odp key',
  archive: 'zip tar gz tgz bz2 xz zst 7z rar',
};

const KINDS = new Map(
  Object.entries(EXTENSIONS).flatMap(([kind, extensions]) =>
    extensions.split(' ').map((extension) => [extension, kind as FileKind] as const),
  ),
);

/** In lower case and without the dot; empty when there is none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1).toLowerCase();
}

/** What an entry is, by its kind and its name's extension. */
export function fileKindOf(entry: {
  readonly kind: 'folder' | 'file' | 'link';
  readonly name: string;
}): FileKind {
  if (entry.kind !== 'file') return entry.kind;
  return KINDS.get(extensionOf(entry.name)) ?? 'other';
}

const THUMBNAILS = new Set('jpg jpeg png gif webp avif tif tiff'.split(' '));

/** Whether it is worth asking the server for a small picture of it. */
export function hasThumbnail(entry: { readonly kind: string; readonly name: string }): boolean {
  return entry.kind === 'file' && THUMBNAILS.has(extensionOf(entry.name));
}
