import { createSimulatedEnvironment } from '@cairn/environment';
import type { RescuedItem } from '@cairn/filesystem';
import type { EntryId } from '@cairn/model';
import { createMemoryTreeStore } from '@cairn/tree-store';
import { expect, test } from 'vitest';
import { noticeLateWrites } from './late-writes.ts';

test('I3 I18 what was written to a displaced file is told, once [S-32]', async () => {
  const environment = createSimulatedEnvironment({ seed: 1 });
  const trees = createMemoryTreeStore('a'.repeat(26) as EntryId);
  const items: RescuedItem[] = [];
  const filesystem = { listRescued: async () => items };
  const item = { rescuedAt: 1, sizeBytes: 3 };
  items.push({ ...item, name: '1-f', originalName: 'f', writtenLate: false });
  expect(await noticeLateWrites({ filesystem, trees, environment })).toBe(0);
  items.push({ ...item, name: '2-g', originalName: 'g', writtenLate: true });
  expect(await noticeLateWrites({ filesystem, trees, environment })).toBe(1);
  expect(await noticeLateWrites({ filesystem, trees, environment })).toBe(0);
  expect(trees.listNotices(9)).toMatchObject([{ kind: 'rescued', path: '.cairn/rescue/2-g' }]);
  items.push({ ...item, name: '3-g', originalName: 'g', writtenLate: true });
  expect(await noticeLateWrites({ filesystem, trees, environment })).toBe(1);
  items.splice(0);
  await noticeLateWrites({ filesystem, trees, environment });
  expect(trees.getValue('late-writes-told')).toBeNull();
});
