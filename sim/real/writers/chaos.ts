import type { SeededRandom } from '@cairn/bench';
import type { ProcessDevice, ProcessStage } from '../driver/process-stage.ts';
import { type Faults, NO_FAULTS } from '../fault-proxy/faults.ts';

/** What was done to the world, counted. */
export interface ChaosCounts {
  serverKills: number;
  daemonKills: number;
  networkFaults: Record<string, number>;
}

const NETWORK_FAULTS: Readonly<Record<string, Partial<Faults>>> = {
  away: { refuse: true },
  slow: { latencyMs: 150, jitterMs: 300, bytesPerSecond: 60_000 },
  drops: { dribble: { bytes: 400, pauseMs: 3 } },
  resets: { resetChance: 0.03 },
  cuts: { cutChance: 0.03 },
  'cut-answers': { cutAfter: { direction: 'down', bytes: 3000 } },
  twice: { duplicateChance: 0.5 },
  'half-open': { halfOpen: 'both' },
  'lost-answers': { loseAnswers: { request: /^POST \/api\/v1\/spaces\/[^/]*\/changesets/, times: 3 } },
  portal: { answers: [{ status: 200, body: '<html>Welcome</html>' }] },
};

/** Kills and cuts at random until told to stop, which throws where something could not be mended; then everything runs and is connected again. */
export function startChaos(
  stage: ProcessStage,
  devices: readonly ProcessDevice[],
  random: SeededRandom,
  options: { readonly gapMs: readonly [number, number]; report(line: string): void },
): { readonly counts: ChaosCounts; stop(): Promise<void> } {
  const counts: ChaosCounts = { serverKills: 0, daemonKills: 0, networkFaults: {} };
  const stopping = new AbortController();
  /** Things that will be mended; one of a kind at a time for each. */
  const broken = new Map<string, Promise<void>>();
  const failures: unknown[] = [];

  function pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (stopping.signal.aborted) resolve();
      const timer = setTimeout(resolve, durationMs);
      stopping.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  function breakFor(
    what: string,
    durationMs: number,
    damage: () => Promise<void>,
    mend: () => Promise<void>,
  ): void {
    if (broken.has(what)) return;
    options.report(`${what}, for ${(durationMs / 1000).toFixed(1)} s`);
    const work = (async () => {
      await damage();
      await pause(durationMs);
      await mend();
    })();
    broken.set(
      what,
      work
        // Told at the end: thrown here, nobody would stop what runs.
        .catch((error: unknown) => {
          failures.push(error);
          options.report(`${what}, and cannot be mended: ${String(error)}`);
        })
        .finally(() => broken.delete(what)),
    );
  }

  function strike(): void {
    const device = random.pick(devices);
    const choice = random.fraction();
    if (choice < 0.12) {
      counts.serverKills++;
      breakFor(
        'the server is killed',
        random.integer(0, 3000),
        () => stage.serverProgram.kill(),
        () => stage.serverProgram.start(),
      );
    } else if (choice < 0.5) {
      counts.daemonKills++;
      breakFor(
        `${device.name} is killed`,
        random.integer(0, 6000),
        () => device.daemon.kill(),
        // It may find no server yet; it starts all the same.
        () => device.daemon.start(),
      );
    } else {
      const name = random.pick(Object.keys(NETWORK_FAULTS));
      counts.networkFaults[name] = (counts.networkFaults[name] ?? 0) + 1;
      breakFor(
        `the network of ${device.name} (${name})`,
        random.integer(500, 9000),
        async () => {
          device.proxy.set({ ...NO_FAULTS, ...NETWORK_FAULTS[name] });
          if (random.chance(0.5)) device.proxy.breakAll(random.chance(0.5) ? 'close' : 'reset');
        },
        async () => device.proxy.heal(),
      );
    }
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      await pause(random.integer(...options.gapMs));
      if (!stopping.signal.aborted) strike();
    }
  })();

  return {
    counts,
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(broken.values());
      for (const { proxy } of devices) {
        proxy.heal();
        proxy.breakAll('close');
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
