import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProblems } from './check.ts';
import { FLOORS } from './rooms.ts';
import { readSources, readWorkspaces } from './sources.ts';

/** `npm run check:architecture`: prints what breaks the house's rules; exit status 1 if anything does. */
const root = join(import.meta.dirname, '..', '..');
const workspaces = readWorkspaces(root);
const files = readSources(root, workspaces);
const problems = findProblems(workspaces, files);

const map = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
for (const room of FLOORS.flat()) {
  if (!map.includes(`\`${room}\``)) problems.push(`ARCHITECTURE.md: the room \`${room}\` is not on the map`);
}

for (const problem of problems) console.error(problem);
console.log(`architecture: ${workspaces.length} rooms, ${files.length} files, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
