import { z } from 'zod';
import { announcementSchema } from './announcements.ts';
import { spaceIdSchema } from './ids.ts';
import { sequenceSchema } from './scalars.ts';

/** What the server says on the WebSocket `/sync/events`. A client ignores types that it does not know. */
export const serverEventSchema = z.discriminatedUnion('type', [
  /** The space has reached this sequence; ask for the changes. Carries no state: losing it is harmless. */
  z.object({ type: z.literal('hint'), spaceId: spaceIdSchema, sequence: sequenceSchema }),
  /** Another device of the account is sending a large file: blocks that can be received ahead. Losing it is harmless. */
  z.object({ type: z.literal('announcement'), spaceId: spaceIdSchema, announcement: announcementSchema }),
  /** This device was signed out; the connection closes with code 4001. */
  z.object({ type: z.literal('revoked') }),
  /** Nothing but that the connection works, for browsers. */
  z.object({ type: z.literal('alive') }),
]);
export type ServerEvent = z.infer<typeof serverEventSchema>;

/** One WebSocket text message as an event; `null` when it is none that this client knows. */
export function parseServerEvent(text: string): ServerEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const result = serverEventSchema.safeParse(value);
  return result.success ? result.data : null;
}
