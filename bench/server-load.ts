import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatLoad, summariseLoad } from './server-load/describe-load.ts';
import { type LoadOptions, runLoad } from './server-load/run-load.ts';
import { CairnProgram } from './world/cairn-program.ts';
import { withCleanup } from './world/cleanup.ts';
import { findFreePort } from './world/counting-proxy.ts';
import { createWorkFolder } from './world/work-folder.ts';

const HELP = `npm run bench:server -- [options]

One real server with many devices at once, all signed in and connected: some save small files and commit them one
after the other as fast as they are answered, the others follow the journal. First the devices are all of one
account, then of several. Errors, and a follower that missed anything, fail the run; times never do.

  --devices N     that commit (50)
  --followers N   that only follow (10)
  --accounts N    in the second part (10)
  --seconds N     for each part (20)
  --processes N   that the devices are in (2)
  --bytes N       size of a save (1024)
  --pause-ms N    of a device after each commit (0)
  --folder DIR    where to put the server's data (the system's temporary folder)
  --json FILE     where to write the results as JSON; - for standard output
  --profile DIR   where to put a CPU profile of the server
`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '50' },
    followers: { type: 'string', default: '10' },
    accounts: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '20' },
    processes: { type: 'string', default: '2' },
    bytes: { type: 'string', default: '1024' },
    'pause-ms': { type: 'string', default: '0' },
    folder: { type: 'string' },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const base: Omit<LoadOptions, 'accounts'> = {
  committers: Number(values.devices),
  followers: Number(values.followers),
  processes: Number(values.processes),
  seconds: Number(values.seconds),
  contentBytes: Number(values.bytes),
  pauseMs: Number(values['pause-ms']),
};

try {
  await withCleanup(async (defer) => {
    const work = createWorkFolder('temp', 1024 ** 3, values.folder);
    defer(() => work.remove());
    const port = await findFreePort();
    const profile = values.profile === undefined ? null : resolve(values.profile);
    const server = new CairnProgram({
      name: 'the server',
      words: ['serve', '--data', join(work.path, 'server'), '--port', String(port)],
      runtimeFlags:
        profile === null
          ? []
          : ['--cpu-prof', `--cpu-prof-dir=${profile}`, '--cpu-prof-name=server.cpuprofile'],
      // A process that replaces itself while it is profiled may be ended by the profiler's last signal.
      variables: { CAIRN_LOG_LEVEL: 'warn', ...(profile === null ? {} : { CAIRN_TUNED: '1' }) },
      logPath: join(work.path, 'server.log'),
      readyText: 'Cairn is running at',
    });
    await server.start();
    defer(() => server.stop());
    const at = { url: `http://127.0.0.1:${port}`, processId: server.processId };
    const parts = [
      { name: 'one', options: { ...base, accounts: 1 } },
      { name: 'several', options: { ...base, accounts: Number(values.accounts) } },
    ];
    console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; ${work.description}\n`);
    const summaries: Record<string, unknown> = {};
    for (const { name, options } of parts) {
      const outcome = await runLoad(at, name, options, defer);
      const summary = summariseLoad(outcome);
      summaries[name] = { options, ...summary, residentBytes: outcome.residentBytes };
      console.log(`${formatLoad(options, summary)}\n`);
      for (const error of outcome.errors.slice(0, 10)) console.error(`WRONG ${error}`);
      if (outcome.errors.length > 0) process.exitCode = 1;
    }
    if (server.unexpectedEnds.length > 0) throw new Error(server.unexpectedEnds.join('\n'));
    const json = JSON.stringify(summaries, null, 2);
    if (values.json === '-') console.log(json);
    else if (values.json !== undefined) writeFileSync(values.json, `${json}\n`);
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
