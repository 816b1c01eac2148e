import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Defer, withCleanup } from '../world/cleanup.ts';
import { createWire, type WireCounting } from '../world/network.ts';
import { createUsedMemory, givesMemoryBack } from '../world/used-memory.ts';
import { createWorkFolder } from '../world/work-folder.ts';
import { measureFloors } from './floors.ts';
import type { Group, Session } from './groups/group.ts';
import { GROUPS } from './groups/index.ts';
import { measureStep } from './measure-step.ts';
import { emptyResult, type GroupName, STEPS, type StepName, type StepResult } from './measurement.ts';
import type { BenchOptions } from './options.ts';
import { PEER_KINDS } from './peers/index.ts';
import type { PeerKind } from './peers/peer.ts';

/** Fewer files than this do not slow down a filesystem that was used before. */
const MANY_FILES = 1500;
/** A's, the server's and B's copy, those of the floor, edited ones, and what is beside. */
const COPIES = 10;

export interface BenchListener {
  onResult(result: StepResult): void;
  /** What happens now, for whoever waits. */
  onProgress(line: string): void;
  /** Where the work is done. */
  onPlace(description: string): void;
}

/** Takes all steps with all peers, `runs` times. What fails is a result, too, and stops nothing else. */
export async function runBench(
  options: BenchOptions,
  counting: WireCounting,
  listener: BenchListener,
): Promise<void> {
  const kinds = PEER_KINDS.filter((kind) => options.peers.includes(kind.name) && kind.findVersion() !== null);
  const groups = [...new Set(options.steps.map((step) => STEPS[step]))].map((name) => GROUPS[name]);
  for (let run = 1; run <= options.runs; run++) {
    for (const group of groups) {
      await runFloors(group, options, run, listener);
      // Whoever comes first finds the machine in another state: all take turns.
      const turn = (run - 1) % Math.max(1, kinds.length);
      for (const kind of [...kinds.slice(turn), ...kinds.slice(0, turn)])
        await runPeer(group, kind, options, counting, run, listener);
    }
  }
}

async function runFloors(
  group: Group,
  options: BenchOptions,
  run: number,
  listener: BenchListener,
): Promise<void> {
  const step = group.floorStep;
  if (step === null) return;
  const plan = { step, title: group.describe(step, options), run };
  listener.onProgress(`run ${run}: floors: ${plan.title} …`);
  try {
    await withCleanup(async (defer) => {
      const { path, source, settleMemory } = prepare(
        group,
        options,
        Number.MAX_SAFE_INTEGER,
        defer,
        listener,
      );
      settleMemory();
      for (const result of await measureFloors(source, path, plan)) listener.onResult(result);
    });
  } catch (error) {
    listener.onResult(emptyResult({ ...plan, peer: 'cp', note: `failed: ${(error as Error).message}` }));
  }
}

async function runPeer(
  group: Group,
  kind: PeerKind,
  options: BenchOptions,
  counting: WireCounting,
  run: number,
  listener: BenchListener,
): Promise<void> {
  const steps = options.steps.filter((step) => STEPS[step] === group.name);
  const missing = new Set(steps);
  const plan = (step: StepName) => ({ peer: kind.name, step, title: group.describe(step, options), run });
  const report = (result: StepResult) => {
    missing.delete(result.step);
    listener.onResult(result);
  };
  for (const step of steps) {
    const reason = kind.refuse(step);
    if (reason !== null) report(emptyResult({ ...plan(step), note: `left out: ${reason}` }));
  }
  if (missing.size === 0) return;
  listener.onProgress(`run ${run}: ${kind.name}: ${group.describe([...missing][0] ?? 'large', options)} …`);
  try {
    await withCleanup(async (defer) => {
      const all = group.countFiles(options);
      const mostFiles = group.floorStep === null ? all : Math.min(kind.mostFiles ?? all, all);
      const { path, stage, source, settleMemory } = prepare(group, options, mostFiles, defer, listener);
      const work = join(path, 'peer');
      mkdirSync(work);
      const wire = createWire(counting);
      defer(() => wire.close());
      const { stepTimeoutMs: timeoutMs, profileFolder } = options;
      const peer = await kind.start({ work, wire, defer, timeoutMs, profileFolder });
      const wants = (step: StepName) => missing.has(step);
      const session: Session = {
        peer,
        options,
        stage,
        source,
        scale: all / mostFiles,
        wants,
        plan,
        report,
        async measure(step, change) {
          if (missing.size === 0) return;
          const result = await measureStep(plan(step), peer, wire, timeoutMs, change, settleMemory);
          if (wants(step)) report(result);
        },
      };
      await group.run(session);
    });
  } catch (error) {
    for (const step of [...missing])
      report(emptyResult({ ...plan(step), note: `failed: ${(error as Error).message}` }));
  }
}

/** A new folder, on a new filesystem where there will be many files, with what the group writes, flushed to disk. */
function prepare(
  group: Group,
  options: BenchOptions,
  mostFiles: number,
  defer: Defer,
  listener: BenchListener,
): { path: string; stage: string; source: string; settleMemory: () => void } {
  const files = group.countFiles(options);
  const place = options.place === 'auto' && files < MANY_FILES ? 'temp' : options.place;
  const sizeBytes = 4 * 1024 ** 3 + COPIES * groupBytes(group.name, options);
  const work = createWorkFolder(place, sizeBytes, options.base, 100_000 + 6 * files);
  defer(() => work.remove());
  listener.onPlace(work.description);
  const stage = join(work.path, 'stage');
  mkdirSync(stage);
  const source = join(stage, 'source');
  group.write(source, options, mostFiles);
  execFileSync('sync', ['-f', source]);
  const uses = options.memory === 'auto' ? givesMemoryBack() : options.memory === 'used';
  if (!uses) return { path: work.path, stage, source, settleMemory: () => undefined };
  const memory = createUsedMemory(options.base ?? tmpdir());
  defer(() => memory.close());
  listener.onPlace('before each step the page cache is filled, as on a machine in use');
  return { path: work.path, stage, source, settleMemory: () => memory.fill(work.path) };
}

function groupBytes(name: GroupName, options: BenchOptions): number {
  if (name === 'large') return options.largeBytes;
  if (name === 'text') return options.textBytes;
  const files = GROUPS[name].countFiles(options);
  return files * 16 * 1024;
}
