import type { ReasonCode } from './plan.ts';

const SENTENCES: Record<ReasonCode, string> = {
  'content-unknown': 'Its content has not been read since it last changed on this device.',
  'same-place-same-thing': 'The server has the same thing at the same place.',
  'same-conflict-copy': 'Another device made a conflict copy of the same content already; one is enough.',
  'already-equal': 'This device and the server already agree.',
  'gone-on-both-sides': 'It is gone both on this device and on the server.',
  'new-on-this-device': 'It is new on this device.',
  'edited-on-this-device': 'It was edited on this device.',
  'moved-on-this-device': 'It was renamed or moved on this device.',
  'attributes-changed-on-this-device': 'Its modification time or executable bit was changed on this device.',
  'removed-on-this-device': 'It was removed on this device.',
  'kept-because-edited-here': 'It was removed on the server but changed on this device, so it is kept.',
  'new-on-server': 'It is new on the server.',
  'edited-on-server': 'It was edited on another device.',
  'moved-on-server': 'It was renamed or moved on another device.',
  'attributes-changed-on-server': 'Its modification time or executable bit was changed on another device.',
  'removed-on-server': 'It was removed on another device.',
  'kept-because-edited-on-server': 'It was removed on this device but changed on another one, so it is kept.',
  'parent-of-kept-entry': 'It was removed, but something inside it is kept, which needs its folder.',
  'both-edited':
    'It was edited here and on another device; both contents are kept, the one here as a conflict copy.',
  'both-created':
    'Different things with this name were made here and on another device; the first to reach the server keeps it.',
  'both-moved': 'It was moved here and on another device; the first to reach the server wins.',
  'move-goes-round':
    'Moved as on this device and on the server it would lie inside itself; the move that reached the server first holds.',
  'last-write-wins':
    'It was edited here and on another device. Its folder lets the last write win: what is here becomes current, the other content stays among the versions.',
  'name-taken': 'Something else on the server has this name already.',
  'names-differ-only-by-case':
    'A neighbour has the same name but for upper and lower case or the form of accents.',
  'kinds-differ': 'A folder and a file want the same name; the folder keeps it.',
  'not-selected':
    'It is not selected for this device and the server has it, so the copy here goes; it stays on the server.',
  'not-possible-here':
    'This disk cannot have its name on the server, or that of a folder around it, so the copy here goes; it stays on the server.',
  'left-alone-here': 'This device leaves it alone now; it stays on the server.',
  'breaks-name-cycle': 'Several entries exchange their names, so one steps aside for a moment.',
};

/** One sentence for a person. */
export function describeReason(code: ReasonCode): string {
  return SENTENCES[code];
}
