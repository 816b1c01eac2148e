import type { EntryId, EntryKind, VersionId } from '@cairn/model';
import type { NodeSketch } from '../tree-store.ts';
import { isPackedAt } from './packed-content.ts';
import { coversSynced, isKnown, type PackedNode, type StoredEntry } from './packed-node.ts';

/**
 * What three trees that agree say of an entry, as bytes: about 250 instead of the 900 of objects, and no work for the
 * garbage collector. Bytes of a row never change; a row that is not needed any more is left behind. Databases hold rows as
 * they are: another layout is another version of the schema.
 *
 * Layout (numbers are little-endian): flags, length of the name, of the observation (characters), of the content (2 bytes), sequence and time of
 * the last change (doubles), id, parent's id, version id where there is one, content, observation, name.
 */
const [NAME_LENGTH, OBSERVATION_LENGTH, CONTENT_LENGTH, SEQUENCE, MODIFIED_AT, ENTRY_ID] = [
  1, 2, 3, 5, 13, 21,
];
const ID_LENGTH = 26;
const PARENT_ID = ENTRY_ID + ID_LENGTH;
const REST = PARENT_ID + ID_LENGTH;

const IS_FOLDER = 1;
const IS_EXECUTABLE = 2;
const HAS_VERSION = 4;
const HAS_CONTENT = 8;
const IS_OBSERVATION_NARROW = 16;

/** Longer rows stay objects. */
export const MAX_ROW_BYTES = 4096;
const MAX_SHORT = 255;

/** Observations are mostly made of these: two characters in a byte. */
const SYMBOLS = Buffer.from('0123456789: -ku.', 'latin1');
const SYMBOL_OF = new Uint8Array(128).fill(255);
for (const [symbol, code] of SYMBOLS.entries()) SYMBOL_OF[code] = symbol;
const unpacked = Buffer.alloc(MAX_SHORT + 1);

/** Whether the three trees agree on an entry, and a row can say so. */
export function canSettle({ remote, local, synced }: StoredEntry): boolean {
  if (remote === undefined || local === undefined || synced === undefined) return false;
  if (remote.kind === 'link' || remote.marks !== null || local.marks !== null || remote.parentId === null)
    return false;
  if (remote.target !== null || local.sequence !== 0 || local.versionId !== null || !isKnown(local))
    return false;
  return (
    local.parentId === remote.parentId &&
    local.name === remote.name &&
    local.kind === remote.kind &&
    local.executable === remote.executable &&
    Object.is(local.modifiedAtUs, remote.modifiedAtUs) &&
    local.content === remote.content &&
    local.target === null &&
    (synced === remote || coversSynced(remote, synced))
  );
}

/** Writes what is below 256 as bytes; the highest bits of all of it tell whether anything was not. */
function writeText(into: Uint8Array, offset: number, text: string): number {
  let all = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    all |= code;
    into[offset + index] = code;
  }
  return all;
}

/** Whether all of the observation are symbols; only then is it written whole. */
function writeNarrow(into: Uint8Array, offset: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const symbol = code < 128 ? (SYMBOL_OF[code] as number) : 255;
    if (symbol === 255) return false;
    const at = offset + (index >> 1);
    into[at] = index % 2 === 0 ? symbol : (into[at] as number) | (symbol << 4);
  }
  return true;
}

/**
 * Writes a row for an entry that {@link canSettle}.
 * @param into at least `MAX_ROW_BYTES` long
 * @returns its length in bytes, or 0 where there is something in it that a row cannot say
 */
export function writeRow(into: Buffer, remote: PackedNode, local: PackedNode): number {
  const { entryId, parentId, name, versionId, content } = remote;
  const observation = local.observation ?? '';
  if (entryId.length !== ID_LENGTH || parentId?.length !== ID_LENGTH) return 0;
  if (observation.length > MAX_SHORT || name.length > MAX_SHORT || !name.isWellFormed()) return 0;
  if (
    (versionId !== null && versionId.length !== ID_LENGTH) ||
    REST + (content?.length ?? 0) > MAX_ROW_BYTES - 1000
  )
    return 0;
  let end = REST;
  let all = writeText(into, ENTRY_ID, entryId) | writeText(into, PARENT_ID, parentId);
  let flags = (remote.kind === 'folder' ? IS_FOLDER : 0) | (remote.executable ? IS_EXECUTABLE : 0);
  if (versionId !== null) {
    flags |= HAS_VERSION;
    all |= writeText(into, end, versionId);
    end += ID_LENGTH;
  }
  if (content !== null) {
    flags |= HAS_CONTENT;
    all |= writeText(into, end, content);
    end += content.length;
  }
  if (writeNarrow(into, end, observation)) {
    flags |= IS_OBSERVATION_NARROW;
    end += (observation.length + 1) >> 1;
  } else {
    all |= writeText(into, end, observation);
    end += observation.length;
  }
  const nameBytes = into.write(name, end, 'utf8');
  if (all > 255 || nameBytes > MAX_SHORT) return 0;
  into[0] = flags;
  into[NAME_LENGTH] = nameBytes;
  into[OBSERVATION_LENGTH] = observation.length;
  into.writeUInt16LE(content?.length ?? 0, CONTENT_LENGTH);
  into.writeDoubleLE(remote.sequence, SEQUENCE);
  into.writeDoubleLE(remote.modifiedAtUs, MODIFIED_AT);
  return end + nameBytes;
}

/** A number for the entry of the row, the same for equal ids. */
export function hashIn(bytes: Uint8Array, row: number): number {
  let hash = 0x811c9dc5;
  for (let index = row + ENTRY_ID; index < row + PARENT_ID; index++)
    hash = Math.imul(hash ^ (bytes[index] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** FNV-1a of characters, mixed once more; of an id the same as {@link hashIn} of its row. */
export function hashText(entryId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < entryId.length; index++)
    hash = Math.imul(hash ^ entryId.charCodeAt(index), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Whether two rows have the same id there. Ids made one after the other differ at their ends. */
function areAlike(one: Uint8Array, row: number, other: Uint8Array, otherRow: number, from: number): boolean {
  for (let index = from + ID_LENGTH - 1; index >= from; index--)
    if (one[row + index] !== other[otherRow + index]) return false;
  return true;
}

/** Whether both rows are of the same entry. */
export function areOfSameEntry(one: Uint8Array, row: number, other: Uint8Array, otherRow: number): boolean {
  return areAlike(one, row, other, otherRow, ENTRY_ID);
}

/** Whether both rows are of entries in the same folder. */
export function areSiblings(one: Uint8Array, row: number, other: Uint8Array, otherRow: number): boolean {
  return areAlike(one, row, other, otherRow, PARENT_ID);
}

/** Whether the row is that of the entry. */
export function isRowOf(bytes: Uint8Array, row: number, entryId: string): boolean {
  if (entryId.length !== ID_LENGTH) return false;
  for (let index = ID_LENGTH - 1; index >= 0; index--)
    if (bytes[row + ENTRY_ID + index] !== entryId.charCodeAt(index)) return false;
  return true;
}

const [SPACE, KNOWN] = [0x20, 0x6b];

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function codeAt(bytes: Uint8Array, start: number, isNarrow: boolean, index: number): number {
  if (!isNarrow) return bytes[start + index] as number;
  const pair = bytes[start + (index >> 1)] as number;
  return SYMBOLS[index % 2 === 0 ? pair & 15 : pair >> 4] as number;
}

/** As `isObservation` of a node whose content is known, without making the text. */
function isKnownObservation(bytes: Uint8Array, start: number, length: number, isNarrow: boolean): boolean {
  if (length === 0 || codeAt(bytes, start, isNarrow, 0) !== KNOWN) return false;
  let index = 1;
  for (let numbers = 0; numbers < 2; numbers++) {
    const first = index;
    while (index < length && isDigit(codeAt(bytes, start, isNarrow, index))) index++;
    if (index === first || index === length || codeAt(bytes, start, isNarrow, index++) !== SPACE)
      return false;
  }
  return true;
}

/**
 * Length of the row that begins there, in bytes; 0 where bytes from storage are no whole row, or one that says what a row
 * cannot say.
 */
export function measureRow(bytes: Buffer, row: number): number {
  if (bytes.length - row < REST) return 0;
  const flags = bytes[row] as number;
  const [hasContent, hasVersion] = [(flags & HAS_CONTENT) !== 0, (flags & HAS_VERSION) !== 0];
  const isFolder = (flags & IS_FOLDER) !== 0;
  if (hasContent === isFolder || hasVersion === isFolder) return 0;
  if (!Number.isSafeInteger(bytes.readDoubleLE(row + SEQUENCE))) return 0;
  if (!Number.isSafeInteger(bytes.readDoubleLE(row + MODIFIED_AT))) return 0;
  const isNarrow = (flags & IS_OBSERVATION_NARROW) !== 0;
  const contentLength = bytes.readUInt16LE(row + CONTENT_LENGTH);
  const characters = bytes[row + OBSERVATION_LENGTH] as number;
  const content = row + REST + (hasVersion ? ID_LENGTH : 0);
  const observation = content + contentLength;
  const name = observation + (isNarrow ? (characters + 1) >> 1 : characters);
  const end = name + (bytes[row + NAME_LENGTH] as number);
  if (end > bytes.length || end - row > MAX_ROW_BYTES) return 0;
  if (hasContent ? !isPackedAt(bytes, content, contentLength) : contentLength > 0) return 0;
  return isKnownObservation(bytes, observation, characters, isNarrow) ? end - row : 0;
}

/** A row, read as it is asked. It stays what it was when it was made, whatever becomes of the entry. */
export class SettledRow implements NodeSketch {
  readonly #bytes: Buffer;
  readonly #row: number;
  readonly #isLocal: boolean;

  /** @param isLocal whether it is to say what the local tree says, which is the only one to know of observations */
  constructor(bytes: Buffer, row: number, isLocal: boolean) {
    this.#bytes = bytes;
    this.#row = row;
    this.#isLocal = isLocal;
  }

  #has(flag: number): boolean {
    return ((this.#bytes[this.#row] as number) & flag) !== 0;
  }

  #text(offset: number, length: number): string {
    return this.#bytes.toString('latin1', this.#row + offset, this.#row + offset + length);
  }

  get #contentStart(): number {
    return REST + (this.#has(HAS_VERSION) ? ID_LENGTH : 0);
  }

  get #contentLength(): number {
    return this.#bytes.readUInt16LE(this.#row + CONTENT_LENGTH);
  }

  get #observationLength(): number {
    return this.#bytes[this.#row + OBSERVATION_LENGTH] as number;
  }

  get #nameStart(): number {
    const characters = this.#observationLength;
    const length = this.#has(IS_OBSERVATION_NARROW) ? (characters + 1) >> 1 : characters;
    return this.#contentStart + this.#contentLength + length;
  }

  get #length(): number {
    return this.#nameStart + (this.#bytes[this.#row + NAME_LENGTH] as number);
  }

  /** The bytes of the row. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(this.#row, this.#row + this.#length);
  }

  get entryId(): EntryId {
    return this.#text(ENTRY_ID, ID_LENGTH) as EntryId;
  }

  get parentId(): EntryId {
    return this.#text(PARENT_ID, ID_LENGTH) as EntryId;
  }

  get name(): string {
    return this.#bytes.toString('utf8', this.#row + this.#nameStart, this.#row + this.#length);
  }

  get kind(): EntryKind {
    return this.#has(IS_FOLDER) ? 'folder' : 'file';
  }

  get content(): string | null {
    return this.#has(HAS_CONTENT) ? this.#text(this.#contentStart, this.#contentLength) : null;
  }

  get observation(): string | null {
    if (!this.#isLocal) return null;
    const start = this.#contentStart + this.#contentLength;
    const length = this.#observationLength;
    if (!this.#has(IS_OBSERVATION_NARROW)) return this.#text(start, length);
    for (let index = 0; index < length; index += 2) {
      const pair = this.#bytes[this.#row + start + (index >> 1)] as number;
      unpacked[index] = SYMBOLS[pair & 15] as number;
      unpacked[index + 1] = SYMBOLS[pair >> 4] as number;
    }
    return unpacked.toString('latin1', 0, length);
  }

  /** The node as the trees keep it. */
  toPacked(): PackedNode {
    const isLocal = this.#isLocal;
    const hasVersion = !isLocal && this.#has(HAS_VERSION);
    return {
      entryId: this.entryId,
      parentId: this.parentId,
      name: this.name,
      kind: this.kind,
      sequence: isLocal ? 0 : this.#bytes.readDoubleLE(this.#row + SEQUENCE),
      executable: this.#has(IS_EXECUTABLE),
      modifiedAtUs: this.#bytes.readDoubleLE(this.#row + MODIFIED_AT),
      content: this.content,
      target: null,
      versionId: hasVersion ? (this.#text(REST, ID_LENGTH) as VersionId) : null,
      observation: this.observation,
      marks: null,
    };
  }
}
