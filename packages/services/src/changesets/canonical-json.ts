/** Names of members, as JSON with their colon: there are few, and each is written thousands of times. */
const quotedKeys = new Map<string, string>();
const MAX_QUOTED_KEYS = 256;

/**
 * JSON with the keys of every object in code-unit order and without whitespace, so that equal values have equal
 * text. For plain data only; members that are `undefined` are left out as JSON does.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += text === '' ? canonicalJson(item) : `,${canonicalJson(item)}`;
    return `[${text}]`;
  }
  const object = value as Record<string, unknown>;
  for (const key of sortFew(Object.keys(object))) {
    const member = object[key];
    if (member === undefined) continue;
    text += (text === '' ? '' : ',') + quoteKey(key) + canonicalJson(member);
  }
  return `{${text}}`;
}

function quoteKey(key: string): string {
  const known = quotedKeys.get(key);
  if (known !== undefined) return known;
  const quoted = `${JSON.stringify(key)}:`;
  if (quotedKeys.size < MAX_QUOTED_KEYS) quotedKeys.set(key, quoted);
  return quoted;
}

/** By code units, in place: for a handful of keys insertion takes a fraction of what `sort` does, and makes no garbage. */
function sortFew(keys: string[]): string[] {
  if (keys.length > 32) return keys.sort();
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] as string;
    let place = index;
    for (; place > 0 && (keys[place - 1] as string) > key; place--) keys[place] = keys[place - 1] as string;
    keys[place] = key;
  }
  return keys;
}
