import { describeTreeStore, ROOT_ID } from '../contract.ts';
import { createMemoryTreeDisk } from './memory-tree-store.ts';

describeTreeStore('memory tree store', () => ({ ...createMemoryTreeDisk(ROOT_ID), remove: () => undefined }));
