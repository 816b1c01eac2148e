import { z } from 'zod';
import { PRODUCT } from '../constants.ts';

/** GET /server: for anybody. */
export const serverResponseSchema = z.object({
  product: z.literal(PRODUCT),
  protocolVersion: z.int(),
  version: z.string(),
  signUp: z.enum(['open', 'invite', 'closed']),
  /** True until the first account exists; with sign-up `invite` that account needs the set-up code. */
  setUpNeeded: z.boolean(),
  /** Whether signing up needs the set-up code just now. */
  needsSetUpCode: z.boolean().optional(),
  hasAccounts: z.boolean().optional(),
});
export type ServerResponse = z.infer<typeof serverResponseSchema>;

/** GET /health: 200 when ready, 503 when not. */
export const healthResponseSchema = z.object({
  status: z.enum(['ok', 'stopping', 'failing']),
  dependencies: z.record(
    z.string(),
    z.object({ status: z.enum(['ok', 'failing']), detail: z.string().optional() }),
  ),
});
export type HealthResponse = z.infer<typeof healthResponseSchema>;
