export { letHeapGrow } from './let-heap-grow.ts';
export { type RunningNode, type StartNodeOptions, startNode } from './start-node.ts';
