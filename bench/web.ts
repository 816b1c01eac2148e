import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureFirstLoad } from './web/first-load.ts';
import { launchPlainBrowser } from './web/plain-browser.ts';
import { measureScrolling } from './web/scrolling.ts';
import { measureUploads } from './web/uploading.ts';
import { createWorkFolder, launchBrowser, startServer } from './web/web-world.ts';
import { withCleanup } from './world/cleanup.ts';

const HELP = `npm run bench:web -- [options]

Measures the web app in the system's Chromium against a real server on this machine: scripts of a first load, time
until Files can be used, scrolling, uploads beside the command line's. Medians, with the least and the most.
Build the app first (npm run build:web). Nothing fails a run but an error.

  --only PARTS     some of load,scroll,upload (all)
  --runs N         repetitions (5)
  --entries N      entries of the folder that is scrolled (100000)
  --size SIZE      of the file that is uploaded, such as 256MiB (1GiB)
  --folder DIR     where to put everything (the system's temporary folder)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'load,scroll,upload' },
    runs: { type: 'string', default: '5' },
    entries: { type: 'string', default: '100000' },
    size: { type: 'string', default: '1GiB' },
    folder: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function parseSize(text: string): number {
  const [, count, unit] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw new Error('--size is a number with KiB, MiB or GiB');
  return Number(count) * 1024 ** (['KiB', 'MiB', 'GiB'].indexOf(unit) + 1);
}

if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const parts = values.only.split(',');
const runs = Number(values.runs);
const sizeBytes = parseSize(values.size);

await withCleanup(async (defer) => {
  const folder = createWorkFolder(values.folder, defer);
  const watched = await launchBrowser(defer);
  const browsers = { watched, plain: await launchPlainBrowser(folder, defer) };
  // Times mean little on a machine that others use, so what it was doing is told.
  console.log(
    `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}; ${runs} runs`,
  );
  if (parts.includes('load') || parts.includes('scroll')) {
    const server = await startServer(folder, defer);
    if (parts.includes('load')) await measureFirstLoad(server, browsers, runs);
    if (parts.includes('scroll')) await measureScrolling(server, watched, runs, Number(values.entries));
  }
  if (parts.includes('upload')) await measureUploads(browsers, folder, runs, sizeBytes);
});
