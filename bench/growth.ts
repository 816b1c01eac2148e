import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { type GrowthOptions, type GrowthOutputs, HELP, parseOptions } from './growth/options.ts';
import { type GrowthFailure, type GrowthRecord, mergeRecords, type Points } from './growth/points.ts';
import { makeReport, PLOT_NAME } from './growth/report/report.ts';
import { runGrowth } from './growth/run-growth.ts';
import { blockMarks, replaceBlock } from './world/document-block.ts';
import { chooseCounting, describeCounting } from './world/network.ts';

const DOCS = join(import.meta.dirname, '..', 'docs');
const PLOT_FOLDER = 'performance';
const MARKS = blockMarks('growth', 'npm run bench:growth -- --write-docs');

const parsed = parseOptions(process.argv.slice(2));
if (parsed === null) console.log(HELP);
else if (parsed.outputs.from.length > 0) writeReports(readRecords(parsed.outputs.from), parsed.outputs);
else await measure(parsed.options, parsed.outputs);

async function measure(options: GrowthOptions, outputs: GrowthOutputs): Promise<void> {
  const counting = chooseCounting(options.wire);
  const places = new Set<string>();
  const failures: GrowthFailure[] = [];
  const points: { -readonly [Name in keyof Points]: Points[Name][number][] } = {
    files: [],
    size: [],
    devices: [],
    journal: [],
  };
  const record = (): GrowthRecord => ({
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GiB`,
    endedAt: new Date().toISOString(),
    where: [...places],
    wire: describeCounting(counting),
    failures,
    ...points,
  });
  const keep = () => {
    if (outputs.json !== null) writeJson(outputs.json, record());
  };
  await runGrowth(options, counting, {
    onPlace: (description) => places.add(description),
    onProgress: (text) => console.error(text),
    onPoint(name, point) {
      const list: (typeof point)[] = points[name];
      list.push(point);
      keep();
    },
    onFailure(failure) {
      failures.push(failure);
      console.error(`${failure.series} ${failure.size} FAILED: ${failure.message}`);
      keep();
    },
  });
  writeReports(record(), outputs);
}

function readRecords(paths: readonly string[]): GrowthRecord {
  return mergeRecords(paths.map((path) => JSON.parse(readFileSync(path, 'utf8')) as GrowthRecord));
}

function writeReports(record: GrowthRecord, { json, writesDocs }: GrowthOutputs): void {
  const { text, markdown, plot } = makeReport(record, PLOT_FOLDER);
  console.log(`\n${text}\n`);
  if (json !== null) writeJson(json, record);
  if (writesDocs) {
    const path = join(DOCS, 'performance.md');
    writeFileSync(path, replaceBlock(readFileSync(path, 'utf8'), markdown, MARKS));
    if (plot !== null) writeFileSync(join(DOCS, PLOT_FOLDER, PLOT_NAME), plot);
    console.log(`The report is in ${path}.`);
  }
  if (record.failures.length > 0) process.exitCode = 1;
}

function writeJson(path: string, record: GrowthRecord): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
}
