import { z } from 'zod';

const MAX_SELECTED = 1000;
const selectedPath = z.string().max(65_536);

/**
 * What the command line says to a running sync daemon: one JSON object a line over a socket that only its owner
 * can open, one answer a line. A connection may ask several times.
 */
export const daemonRequestSchema = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('why'), path: z.string().max(65_536) }),
  z.strictObject({ command: z.literal('pause') }),
  z.strictObject({ command: z.literal('resume') }),
  z.strictObject({ command: z.literal('refresh') }),
  z.strictObject({ command: z.literal('confirm') }),
  z.strictObject({ command: z.literal('reject') }),
  z.strictObject({ command: z.literal('stop') }),
  z.strictObject({
    command: z.literal('select'),
    only: z.array(selectedPath).max(MAX_SELECTED).optional(),
    exclude: z.array(selectedPath).max(MAX_SELECTED).optional(),
    include: z.array(selectedPath).max(MAX_SELECTED).optional(),
  }),
]);
export type DaemonRequest = z.infer<typeof daemonRequestSchema>;

export const daemonResponseSchema = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), data: z.unknown() }),
  z.strictObject({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);
export type DaemonResponse = z.infer<typeof daemonResponseSchema>;

/** A line longer than this is not one of ours. */
export const MAX_DAEMON_LINE_BYTES = 4 * 1024 * 1024;
