import { setFlagsFromString } from 'node:v8';

/** Growth over what lives in the heap, after which all of it is marked. */
const HEAP_GROWING_PERCENT = 400;

/**
 * Lets the heap of this process, which is a storage node and nothing else, grow to five times what lives in it before it is
 * collected. What a node receives comes in buffers of 16 KiB that live for a moment outside of the heap, and V8 counts them
 * as if they were in it. So little lives in a node, some 15 MB, that V8 would mark all of it again after every 8 MB that
 * arrive, for a quarter of the node's CPU; most such buffers are gone with the small collections in between.
 */
export function letHeapGrow(): void {
  // V8 looks at this at each collection, so it may be set while it runs.
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
}
