import { shownName } from '../ui/shown-name.ts';

/** A text with `{holes}`; or one for each plural form, chosen by the hole `count`. */
export type Words = string | { readonly one: string; readonly other: string };
export type Holes = Readonly<Record<string, string | number>>;

export const LOCALE = 'en';
const plurals = new Intl.PluralRules(LOCALE);
const numbers = new Intl.NumberFormat(LOCALE);

/**
 * Makes the `t()` of a set of words: `t('files.moved', { count: 3, folder: 'docs' })`. Keys are checked by the
 * compiler. Another language is another set with the same keys.
 */
export function createTranslator<Key extends string>(
  words: Readonly<Record<Key, Words>>,
): (key: Key, holes?: Holes) => string {
  return (key, holes = {}) => {
    const entry: Words = words[key];
    const text =
      typeof entry === 'string'
        ? entry
        : plurals.select(Number(holes['count'])) === 'one'
          ? entry.one
          : entry.other;
    return text.replace(/\{(\w+)\}/g, (whole, hole: string) => {
      const value = holes[hole];
      if (value === undefined) return whole;
      return typeof value === 'number' ? numbers.format(value) : shownName(value);
    });
  };
}
