import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { StepResult } from './two-devices/measurement.ts';
import { type BenchOptions, HELP, type Outputs, parseOptions } from './two-devices/options.ts';
import { PEER_KINDS } from './two-devices/peers/index.ts';
import { type BenchRecord, makeReport, mergeRecords } from './two-devices/report/report.ts';
import { nameOf } from './two-devices/report/table.ts';
import { runBench } from './two-devices/run-bench.ts';
import { blockMarks, replaceBlock } from './world/document-block.ts';
import { chooseCounting, describeCounting } from './world/network.ts';

const DOCS = join(import.meta.dirname, '..', 'docs');
const PLOT_FOLDER = 'performance';
const MARKS = blockMarks('bench', 'npm run bench -- --write-docs');

const parsed = parseOptions(process.argv.slice(2));
if (parsed === null) console.log(HELP);
else if (parsed.outputs.from.length > 0) writeReports(readRecords(parsed.outputs.from), parsed.outputs);
else await measure(parsed.options, parsed.outputs);

async function measure(options: BenchOptions, outputs: Outputs): Promise<void> {
  const counting = chooseCounting(options.wire);
  const results: StepResult[] = [];
  const places = new Set<string>();
  const peers: Record<string, string> = {};
  for (const kind of PEER_KINDS) {
    if (!options.peers.includes(kind.name)) continue;
    const version = kind.findVersion();
    if (version === null) console.error(`${nameOf(kind.name)} is not installed and left out`);
    peers[nameOf(kind.name)] = version === null ? 'is not installed' : `${version}: ${kind.description}`;
  }
  const record = (): BenchRecord => ({
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB`,
    endedAt: new Date().toISOString(),
    where: [...places].join('; '),
    wire: describeCounting(counting),
    peers,
    options: { ...options },
    results,
  });
  await runBench(options, counting, {
    onPlace: (description) => places.add(description),
    onProgress: (text) => console.error(text),
    onResult(result) {
      results.push(result);
      console.error(describeResult(result));
      if (outputs.json !== null && outputs.json !== '-') writeJson(outputs.json, record());
    },
  });
  writeReports(record(), outputs);
}

function readRecords(paths: readonly string[]): BenchRecord {
  return mergeRecords(paths.map((path) => JSON.parse(readFileSync(path, 'utf8')) as BenchRecord));
}

function writeReports(record: BenchRecord, { json, reportFolder, writesDocs }: Outputs): void {
  const report = makeReport(record, '.');
  console.log(`\n${report.text}\n`);
  if (json === '-') console.log(toJson(record));
  else if (json !== null) writeJson(json, record);
  if (reportFolder !== null) {
    writeFiles(reportFolder, report.plots);
    writeFileSync(join(reportFolder, 'report.md'), `# Benchmark\n\n${report.markdown}\n`);
    console.log(`The report is in ${reportFolder}.`);
  }
  if (writesDocs) {
    const path = join(DOCS, 'performance.md');
    const { markdown, plots } = makeReport(record, PLOT_FOLDER);
    writeFileSync(path, replaceBlock(readFileSync(path, 'utf8'), markdown, MARKS));
    writeFiles(join(DOCS, PLOT_FOLDER), plots);
    console.log(`The report is in ${path}.`);
  }
  const wrong = record.results.filter(
    ({ peer, note, differences }) =>
      peer === 'cairn' && (differences.length > 0 || note?.startsWith('failed') === true),
  );
  if (wrong.length === 0) return;
  console.error(`Cairn failed in ${wrong.length} steps: see above.`);
  process.exitCode = 1;
}

function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
}

function writeJson(path: string, record: BenchRecord): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${toJson(record)}\n`);
}

function toJson(record: BenchRecord): string {
  return JSON.stringify({ ...record, summaries: makeReport(record, '.').summaries }, null, 2);
}

function describeResult(result: StepResult): string {
  const { run, peer, title, timeMs, residentBytes, cpuShare, note, differences } = result;
  const facts: string[] = [];
  if (timeMs !== null)
    facts.push(timeMs < 1000 ? `${timeMs.toFixed(1)} ms` : `${(timeMs / 1000).toFixed(2)} s`);
  if (residentBytes !== null) facts.push(`${(residentBytes / 1e6).toFixed(0)} MB resident`);
  if (cpuShare !== null) facts.push(`${(cpuShare * 100).toFixed(3)} % of a CPU`);
  if (note !== null) facts.push(note);
  for (const difference of differences.slice(0, 5)) facts.push(`B DIFFERS: ${difference}`);
  return `run ${run}: ${nameOf(peer)}: ${title}: ${facts.join('; ')}`;
}
