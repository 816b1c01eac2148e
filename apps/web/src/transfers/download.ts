import type { FileObject } from '@cairn/protocol';

export function downloadEntries(_entries: readonly FileObject[]): void {}
