import type { ScenarioItem, ScenarioTree } from '../scenario-schema.ts';
import { bytesOf } from './contents.ts';
import type { SeenItem } from './stage.ts';

/** Adds the folders on the way to every path. */
export function withFolders(tree: ScenarioTree): ScenarioTree {
  const full: Record<string, ScenarioItem> = {};
  for (const [path, item] of Object.entries(tree)) {
    const parts = path.replace(/\/$/, '').split('/');
    for (let depth = 1; depth < parts.length; depth++) full[`${parts.slice(0, depth).join('/')}/`] ??= null;
    full[path] = item;
  }
  return full;
}

/** What differs between what was to be and what is there, one line each. */
export function findDifferences(
  expected: ScenarioTree,
  seen: ReadonlyMap<string, SeenItem>,
  maybe: ScenarioTree = {},
): string[] {
  const differences: string[] = [];
  const left = new Map(seen);
  const wanted = Object.entries(withFolders(expected)).map(([key, item]) => ({
    path: key.replace(/\/$/, ''),
    item,
  }));
  const isPattern = (path: string) => /[*{]/.test(path.replaceAll('\\*', ''));
  // Exact paths first: a pattern must not take what another line names.
  for (const { path, item } of wanted.filter((each) => !isPattern(each.path))) {
    const plain = path.replaceAll('\\*', '*');
    const there = left.get(plain);
    left.delete(plain);
    if (there === undefined) differences.push(`missing: ${plain}`);
    else differences.push(...compareItem(plain, item, there));
  }
  for (const { path, item } of wanted.filter((each) => isPattern(each.path))) {
    const pattern = toRegExp(path);
    const fitting = [...left].filter(([each]) => pattern.test(each));
    const found = fitting.find(([each, there]) => compareItem(each, item, there).length === 0) ?? fitting[0];
    if (found === undefined) {
      differences.push(`missing: ${path}`);
      continue;
    }
    left.delete(found[0]);
    differences.push(...compareItem(found[0], item, found[1]));
  }
  for (const [path, item] of Object.entries(maybe)) {
    const found = [...left].find(
      ([each, there]) => toRegExp(path).test(each) && compareItem(each, item, there).length === 0,
    );
    if (found !== undefined) left.delete(found[0]);
  }
  for (const [path, { kind, bytes }] of left)
    differences.push(`not expected: ${path} (${kind}${kind === 'file' ? ` ${preview(bytes)}` : ''})`);
  return differences;
}

const COPY_DATE = String.raw`\d{4}-\d\d-\d\d(?: \d+)?`;

function toRegExp(path: string): RegExp {
  const text = path.replace(/\\\*|\*|\{case\}|\{any\}|\{([A-Z])\}|[.+?^$()|[\]\\]/g, (found, device) => {
    if (found === '\\*') return '\\*';
    if (found === '*') return '[^/]*';
    if (found === '{case}') return String.raw` \(Case Conflict(?: \d+)?\)`;
    if (found === '{any}') return String.raw` \([A-Z]'s Conflict Copy ${COPY_DATE}\)`;
    if (device !== undefined) return String.raw` \(${device}'s Conflict Copy ${COPY_DATE}\)`;
    return `\\${found}`;
  });
  return new RegExp(`^${text}$`, 'su');
}

function compareItem(path: string, item: ScenarioItem, seen: SeenItem): string[] {
  const kinds = (kind: string) => (seen.kind === kind ? [] : [`${path} is a ${seen.kind}, not a ${kind}`]);
  if (item === null) return kinds('folder');
  if (typeof item === 'object' && 'other' in item) return kinds('other');
  if (typeof item === 'object' && 'link' in item) {
    if (seen.kind !== 'link') return kinds('link');
    return seen.target === item.link ? [] : [`${path} points to ${seen.target}, not ${item.link}`];
  }
  if (seen.kind !== 'file') return kinds('file');
  if (typeof item === 'object' && 'oneOf' in item) {
    const text = Buffer.from(seen.bytes).toString();
    return item.oneOf.includes(text)
      ? []
      : [`${path} holds ${preview(seen.bytes)}, none of ${item.oneOf.join(', ')}`];
  }
  const { content, executable, modifiedAtUs } =
    typeof item === 'object' && 'content' in item
      ? item
      : { content: item, executable: undefined, modifiedAtUs: undefined };
  const bytes = bytesOf(content);
  if (!bytes.equals(seen.bytes)) return [`${path} holds ${preview(seen.bytes)}, not ${preview(bytes)}`];
  if (executable !== undefined && executable !== seen.executable)
    return [`${path} is ${seen.executable ? '' : 'not '}executable`];
  if (modifiedAtUs !== undefined && modifiedAtUs !== seen.modifiedAtUs)
    return [`${path} was modified at ${seen.modifiedAtUs}, not ${modifiedAtUs}`];
  return [];
}

function preview(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 40)).toString();
  return `${JSON.stringify(text)}${bytes.length > 40 ? ` and more (${bytes.length} bytes)` : ''}`;
}
