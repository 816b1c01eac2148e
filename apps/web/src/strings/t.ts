import { en } from './en.ts';
import { createTranslator } from './translator.ts';

/** The shared words: `t('common.close')`. */
export const t = createTranslator(en);
