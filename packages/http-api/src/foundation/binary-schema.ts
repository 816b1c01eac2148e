import { z } from 'zod';

/** Bytes in the OpenAPI document; what arrives is checked by whoever reads it. */
export const binarySchema = z.unknown().meta({ type: 'string', format: 'binary' });
