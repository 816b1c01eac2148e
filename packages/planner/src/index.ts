export type {
  HeldDeletes,
  NoticeKind,
  Operation,
  Plan,
  PlanIssue,
  PlannedOperation,
  PlanOptions,
  ReasonCode,
} from './plan.ts';
export type { LocalNode, RemoteNode, SyncedNode, TreeReader, Trees } from './trees.ts';
