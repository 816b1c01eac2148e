import type { Filesystem } from '../filesystem.ts';

/** A call that can be made to fail. */
export type MemoryOperation = keyof Filesystem | 'read' | 'write' | 'sync';

/** Decides whether a call fails: a system error code such as `EIO`, or `null`. Called for every call. */
export type FaultPlan = (operation: MemoryOperation, path: string) => string | null;
