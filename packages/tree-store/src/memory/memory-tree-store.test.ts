import { describeTreeStore } from '../contract.ts';
import { ROOT_ID } from '../contract-fixture.ts';
import { createMemoryTreeDisk } from './memory-tree-store.ts';

describeTreeStore('memory tree store', () => ({ ...createMemoryTreeDisk(ROOT_ID), remove: () => undefined }));
