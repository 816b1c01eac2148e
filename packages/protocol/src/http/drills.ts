import { z } from 'zod';
import { countSchema, instantSchema } from '../scalars.ts';

const MAX_CLAIMS = 500;
const text = z.string().max(2000);

/** One thing that a drill set out to prove. */
export const drillClaimSchema = z.object({
  /** Names the claim for programs, such as `one-node-killed`. */
  id: z.string().regex(/^[a-z0-9-]{1,100}$/),
  /** What must hold. */
  claim: text,
  /** What was done to see whether it does. */
  done: text,
  result: z.enum(['proven', 'unproven']),
  /** Why it is not proven. */
  problem: text.nullable(),
  startedAt: instantSchema,
  endedAt: instantSchema,
  /** Numbers by their names: files, bytes, requests, milliseconds. */
  figures: z.record(z.string().regex(/^[A-Za-z]{1,40}$/), z.number()),
});
export type DrillClaim = z.infer<typeof drillClaimSchema>;

/** `scratch`: on a cluster made for it. `live`: on the cluster that is in use. */
export const drillKindSchema = z.enum(['scratch', 'live']);
export type DrillKind = z.infer<typeof drillKindSchema>;

/** POST /admin/drills: what a drill proved, and when. */
export const drillReportSchema = z.object({
  kind: drillKindSchema,
  startedAt: instantSchema,
  endedAt: instantSchema,
  claims: z.array(drillClaimSchema).min(1).max(MAX_CLAIMS),
});
export type DrillReport = z.infer<typeof drillReportSchema>;

/** Of a drill, in a line. */
export const drillSummarySchema = z.object({
  kind: drillKindSchema,
  endedAt: instantSchema,
  proven: countSchema,
  unproven: countSchema,
});
export type DrillSummary = z.infer<typeof drillSummarySchema>;

/** GET /admin/drills: the last ones, newest first. */
export const drillsResponseSchema = z.object({ drills: z.array(drillReportSchema) });
export type DrillsResponse = z.infer<typeof drillsResponseSchema>;
