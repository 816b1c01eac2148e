import { z } from 'zod';
import { blockIdSchema } from '../ids.ts';
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

const nodeIdSchema = z.string().regex(/^[a-z2-7]{26}$/);
/** A fault ends by itself after this at the latest; whoever wants more asks again in time. */
export const MAX_FAULT_MS = 120_000;

/** POST /admin/drills/faults */
export const faultRequestSchema = z.strictObject({
  nodeId: nodeIdSchema,
  /** `held-out`: this server treats the node as not there. `full`: the node says that it is full. */
  fault: z.enum(['held-out', 'full']),
  forMs: z.int().min(1000).max(MAX_FAULT_MS),
});
export type FaultRequest = z.infer<typeof faultRequestSchema>;
export const faultResponseSchema = z.object({
  nodeId: z.string(),
  fault: z.enum(['held-out', 'full']),
  until: instantSchema,
});
export type FaultResponse = z.infer<typeof faultResponseSchema>;

/** POST /admin/drills/canaries */
export const canaryRequestSchema = z.strictObject({
  nodeId: nodeIdSchema,
  /** Of a file of one's own that begins with the mark of a canary. */
  blockId: blockIdSchema,
  /** `damage`: damages the node's replica. `inspect`: lets the node read it. */
  action: z.enum(['damage', 'inspect']),
});
export type CanaryRequest = z.infer<typeof canaryRequestSchema>;
export const canaryResponseSchema = z.object({ replica: z.enum(['whole', 'damaged', 'absent']) });
export type CanaryResponse = z.infer<typeof canaryResponseSchema>;
