import { parseCursor } from '@cairn/model';
import { z } from 'zod';

/** A whole number from 0 on. */
export const countSchema = z.int().min(0);
/** Milliseconds since 1970. */
export const instantSchema = z.int();
export const sequenceSchema = z.int().min(0);

/** Text without lone surrogates, which no database and no filesystem would give back unchanged. */
export function textSchema(maxCharacters: number) {
  return z
    .string()
    .max(maxCharacters)
    .refine((text) => text.isWellFormed(), 'not valid Unicode');
}

/** The text form of a cursor (`formatCursor` of the model); opaque to clients. */
export const cursorTextSchema = z
  .string()
  .max(64)
  .refine((text) => parseCursor(text) !== null, 'not a cursor');

/** A whole number in a query string: digits only, so that `1e3`, ` 7` and the empty text are refused. */
export function queryCountSchema(limits: { min: number; max: number }) {
  return z
    .string()
    .regex(/^(0|[1-9][0-9]{0,9})$/, 'not a whole number')
    .transform(Number)
    .pipe(z.int().min(limits.min).max(limits.max));
}

export const queryFlagSchema = z.enum(['true', 'false']).transform((text) => text === 'true');
