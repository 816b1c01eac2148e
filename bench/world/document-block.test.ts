import { expect, test } from 'vitest';
import { blockMarks, replaceBlock } from './document-block.ts';

const MARKS = blockMarks('bench', 'npm run bench -- --write-docs');

test('a report takes the place of the one before, and of nothing else', () => {
  const begin = '<!-- bench: begin (written by "npm run bench -- --write-docs") -->';
  const document = `# Title\n\n${begin}\nold\n<!-- bench: end -->\n\nafter\n`;
  const once = replaceBlock(document, 'new', MARKS);
  expect(once).toBe(`# Title\n\n${begin}\n\nnew\n\n<!-- bench: end -->\n\nafter\n`);
  expect(replaceBlock(once, 'new', MARKS)).toBe(once);
  expect(() => replaceBlock('# Title', 'new', MARKS)).toThrow(/lacks the lines/);
});
