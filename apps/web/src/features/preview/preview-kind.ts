import { extensionOf } from '../../ui/file-kind.ts';

/** How a file is shown. `none`: not at all, only described. */
export type PreviewKind = 'image' | 'video' | 'audio' | 'pdf' | 'markdown' | 'text' | 'none';

/** What browsers show themselves, and the server hands out to be shown. */
const NATIVE_IMAGES = new Set('jpg jpeg png gif webp avif bmp'.split(' '));
/** What the server makes pictures of. */
const MADE_IMAGES = new Set('jpg jpeg png gif webp avif tif tiff heic heif'.split(' '));
const VIDEOS = new Set('mp4 m4v webm mov ogv mkv'.split(' '));
const AUDIOS = new Set('mp3 m4a aac ogg oga opus flac wav'.split(' '));
const MARKDOWN = new Set('md markdown mdown'.split(' '));
/** Text for certain. Of other names, small files are looked into. SVG and HTML are only ever text here. */
const TEXTS = new Set(
  (
    'txt log csv tsv json jsonl json5 xml svg html htm xhtml css scss less js mjs cjs jsx ts mts cts tsx vue svelte ' +
    'py rb rs go java kt kts scala c h cc cpp hpp cs m swift php pl lua r jl sh bash zsh fish ps1 bat cmd sql ' +
    'yml yaml toml ini cfg conf env properties gradle cmake make mk dockerfile tex bib rst adoc org diff patch ' +
    'srt vtt ics vcf eml gitignore gitattributes editorconfig lock graphql proto tf'
  ).split(' '),
);
/** Never worth looking into as text. */
const BINARIES = new Set(
  (
    'zip tar gz tgz bz2 xz zst 7z rar doc docx odt xls xlsx ods ppt pptx odp pages numbers key exe dll so bin iso dmg ' +
    'img deb rpm apk jar class wasm sqlite db psd ai sketch fig ttf otf woff woff2 eot avi mpg mpeg wmv'
  ).split(' '),
);
/** Files of unknown kind up to this size are looked into. */
const MAX_UNKNOWN_BYTES = 1024 * 1024;

/** By its name alone, since that is what the server decides by, too. */
export function previewKindOf(name: string, sizeBytes: number): PreviewKind {
  const extension = extensionOf(name);
  if (MADE_IMAGES.has(extension) || NATIVE_IMAGES.has(extension)) return 'image';
  if (VIDEOS.has(extension)) return 'video';
  if (AUDIOS.has(extension)) return 'audio';
  if (extension === 'pdf') return 'pdf';
  if (MARKDOWN.has(extension)) return 'markdown';
  if (TEXTS.has(extension) || TEXTS.has(name.toLowerCase().replace(/^\./, ''))) return 'text';
  if (BINARIES.has(extension)) return 'none';
  return sizeBytes <= MAX_UNKNOWN_BYTES ? 'text' : 'none';
}

/** Whether the browser shows the original by itself. */
export function isNativeImage(name: string): boolean {
  return NATIVE_IMAGES.has(extensionOf(name));
}

/** Whether the server makes smaller pictures of it. Animations would stand still in them. */
export function hasMadeImage(name: string): boolean {
  return MADE_IMAGES.has(extensionOf(name)) && extensionOf(name) !== 'gif';
}
