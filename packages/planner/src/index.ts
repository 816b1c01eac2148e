export { describeIssue, type Explanation, explainEntry } from './explain.ts';
export { plan } from './make-plan.ts';
export type {
  HeldDeletes,
  LeftOut,
  NoticeKind,
  Operation,
  Plan,
  PlanIssue,
  PlannedOperation,
  PlanOptions,
  ReasonCode,
} from './plan.ts';
export { describeReason } from './reasons.ts';
export type { LocalNode, RemoteNode, SyncedNode, TreeReader, Trees } from './trees.ts';
