import { splitExtension } from '@cairn/model';

/** How a file may be shown in a browser. */
export interface InlineType {
  readonly mediaType: string;
  readonly policy: string;
}

/** Nothing runs, nothing is loaded, and only our own pages may frame it. */
const POLICY = "sandbox; default-src 'none'; frame-ancestors 'self'";
/** Players bring a page of their own with styles, and load what they play from here. */
const MEDIA_POLICY = `${POLICY}; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'`;
/** The browser's own viewer, which runs apart from the page, does not start in a sandbox. */
const PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";

const MEDIA: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.jpe': 'image/jpeg',
  '.jfif': 'image/jpeg',
  '.png': 'image/png',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.bmp': 'image/bmp',
  '.ico': 'image/x-icon',
  '.mp3': 'audio/mpeg',
  '.m4a': 'audio/mp4',
  '.aac': 'audio/aac',
  '.ogg': 'audio/ogg',
  '.oga': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.flac': 'audio/flac',
  '.wav': 'audio/wav',
  '.mp4': 'video/mp4',
  '.m4v': 'video/mp4',
  '.webm': 'video/webm',
  '.ogv': 'video/ogg',
  '.mov': 'video/quicktime',
  '.mkv': 'video/x-matroska',
};

/** Shown as plain text, which `nosniff` keeps it. What a browser could take for a document is not among them. */
const TEXT = new Set(
  (
    '.txt .text .md .markdown .log .csv .tsv .json .jsonl .yaml .yml .toml .ini .conf .cfg .env .properties .srt .vtt ' +
    '.diff .patch .ts .tsx .mts .cts .js .jsx .mjs .cjs .css .scss .less .py .rb .rs .go .java .kt .c .h .cc .cpp .hpp .cs ' +
    '.swift .php .pl .lua .r .jl .sh .bash .zsh .fish .ps1 .bat .sql .graphql .proto .tex .bib .rst .adoc .org .gitignore'
  ).split(' '),
);
const TEXT_NAMES = new Set([
  'readme',
  'license',
  'licence',
  'changelog',
  'makefile',
  'dockerfile',
  'notice',
  'authors',
]);

/** How a file of this name may be shown; `null`: not at all. SVG, HTML and XML never are. */
export function inlineType(name: string): InlineType | null {
  const lower = name.toLowerCase();
  const extension = splitExtension(lower)[1];
  const mediaType = MEDIA[extension];
  if (mediaType !== undefined) return { mediaType, policy: MEDIA_POLICY };
  if (extension === '.pdf') return { mediaType: 'application/pdf', policy: PDF_POLICY };
  const isText = TEXT.has(extension) || TEXT.has(lower) || TEXT_NAMES.has(lower);
  return isText ? { mediaType: 'text/plain; charset=utf-8', policy: POLICY } : null;
}
