import type { DeviceName, Scenario, ScenarioStep } from '../scenario-schema.ts';
import { bytesOf, keyOf } from './contents.ts';
import { findDifferences } from './expectations.ts';
import { findUnreachable, type Kept, noteContents } from './reachable.ts';
import { whyUnsettled } from './settled.ts';
import { readSeen, type Stage, type StageDevice, type StageUser } from './stage.ts';
import { placeTree, saveFile, swap } from './user-steps.ts';

export interface ScenarioOptions {
  /** Longest wait for anything. */
  readonly timeoutMs: number;
  readonly pollMs: number;
}

/** Replays one scenario. Rejects with everything that is not as it must be. */
export async function runScenario(scenario: Scenario, stage: Stage, options: ScenarioOptions): Promise<void> {
  const run = new Run(scenario, stage, options);
  await run.start();
  for (const [index, step] of scenario.steps.entries()) {
    try {
      await run.step(step);
    } catch (error) {
      throw new Error(`step ${index + 1} ${JSON.stringify(step)}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  await run.end();
}

type DeviceStep = Extract<ScenarioStep, readonly [DeviceName, ...unknown[]]>;

class Run {
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #options: ScenarioOptions;
  readonly #devices = new Map<DeviceName, StageDevice>();
  readonly #kept: Kept = new Map();
  readonly #takenOut = new Map<string, Uint8Array>();
  #serverIsUp = true;

  constructor(scenario: Scenario, stage: Stage, options: ScenarioOptions) {
    this.#scenario = scenario;
    this.#stage = stage;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { devices = { A: {}, B: {} }, start = {}, startOn = ['A'], asleep = [] } = this.#scenario;
    for (const [name, deviceOptions] of Object.entries(devices))
      this.#devices.set(name as DeviceName, await this.#stage.addDevice(name, deviceOptions));
    for (const name of startOn) placeTree(this.#device(name).user, start);
    for (const [name, device] of this.#devices) if (!asleep.includes(name)) await device.start();
    await this.#settle([]);
  }

  #device(name: DeviceName): StageDevice {
    const device = this.#devices.get(name);
    if (device === undefined) throw new Error(`there is no device ${name}`);
    return device;
  }

  async step(step: ScenarioStep): Promise<void> {
    if (step[0] === 'settle') return this.#settle(step.slice(1) as DeviceName[]);
    if (step[0] === 'server') return this.#serverStep(step[1]);
    if (step[0] === 'until') return this.#untilState(this.#device(step[1]), step[2]);
    if (step[0] === 'has') {
      const found = Buffer.from(this.#device(step[1]).user.readFile(step[2])).toString();
      if (found !== step[3]) throw new Error(`it holds ${JSON.stringify(found)}`);
      return;
    }
    if (step[0] === 'lacks') {
      if (readSeen(this.#device(step[1]).user).has(step[2])) throw new Error('it is there');
      return;
    }
    const device = this.#device(step[0]);
    if (!this.#userStep(device.user, step)) await this.#deviceStep(device, step);
  }

  async #serverStep(what: string): Promise<void> {
    const { server } = this.#stage;
    if (what === 'stop' || what === 'kill') {
      await server[what]();
      this.#serverIsUp = false;
    } else if (what === 'start') {
      await server.start();
      this.#serverIsUp = true;
    } else if (what === 'restart') {
      await server.stop();
      await server.start();
    } else if (what === 'back-up') await server.backUp();
    else await server.restore();
  }

  /** Whether it was a deed of the device's user. */
  #userStep(user: StageUser, step: DeviceStep): boolean {
    const outside = `${step[0]} ${String(step[2])}`;
    switch (step[1]) {
      case 'write':
        user.writeFile(step[2], bytesOf(step[3]));
        return true;
      case 'append':
        user.writeFile(step[2], Buffer.concat([user.readFile(step[2]), Buffer.from(step[3])]));
        return true;
      case 'save':
        saveFile(user, step[2], bytesOf(step[3]), step[4]);
        return true;
      case 'folder':
        user.makeFolder(step[2]);
        return true;
      case 'link':
        user.makeLink(step[2], step[3]);
        return true;
      case 'move':
        user.rename(step[2], step[3]);
        return true;
      case 'swap':
        swap(user, step[2], step[3]);
        return true;
      case 'copy':
        user.writeFile(step[3], user.readFile(step[2]));
        return true;
      case 'hard-link':
        user.makeHardLink(step[2], step[3]);
        return true;
      case 'remove':
        user.remove(step[2]);
        return true;
      case 'mode':
        user.setExecutable(step[2], step[3]);
        return true;
      case 'time':
        user.setModifiedAt(step[2], step[3]);
        return true;
      case 'fifo':
        user.makeFifo(step[2]);
        return true;
      case 'many':
        for (let index = 0; index < step[3]; index++)
          user.writeFile(`${step[2]}${index}`, `${step[2]}${index}`);
        return true;
      case 'remove-many':
        for (let index = 0; index < step[3]; index++) user.remove(`${step[2]}${index}`);
        return true;
      case 'take-out':
        this.#takenOut.set(outside, user.readFile(step[2]));
        user.remove(step[2]);
        return true;
      case 'bring-back':
        user.writeFile(step[2], this.#takenOut.get(outside) ?? '');
        return true;
      default:
        return false;
    }
  }

  async #deviceStep(device: StageDevice, step: DeviceStep): Promise<void> {
    switch (step[1]) {
      case 'start':
      case 'stop':
      case 'kill':
      case 'confirm':
      case 'reject':
        return device[step[1]]();
      case 'restart':
        await device.kill();
        return device.start();
      case 'power-cut':
        return device.cutPower();
      case 'offline':
      case 'online':
        return device.setOnline(step[1] === 'online');
      case 'lose-database':
        return device.loseDatabase();
      case 'pause':
      case 'resume':
        return device.pause(step[1] === 'pause');
      case 'unmount':
      case 'mount':
        device.setMounted(step[1] === 'mount');
        return device.refresh();
      case 'deaf':
      case 'hearing':
        return device.setDeaf(step[1] === 'deaf');
      case 'disk-full':
      case 'disk-roomy':
        return device.setFull(step[1] === 'disk-full');
      case 'unreadable':
      case 'readable':
        device.setReadable(step[2], step[1] === 'readable');
        return;
      case 'lose-answers':
        return device.loseAnswers(step[2]);
      default:
        throw new Error('a step that the driver does not know');
    }
  }

  async #untilState(device: StageDevice, state: string): Promise<void> {
    await device.refresh();
    await this.#wait(`${device.name} is ${state}`, async () => {
      const status = await device.status();
      const now = status?.state ?? 'stopped';
      return now === state ? null : `it is ${now} ${JSON.stringify(status?.trouble ?? '')}`;
    });
  }

  async #settle(names: readonly DeviceName[]): Promise<void> {
    const devices =
      names.length > 0
        ? names.map((name) => this.#device(name))
        : [...this.#devices.values()].filter((each) => each.isRunning && each.isOnline && this.#serverIsUp);
    await this.#wait('all is in sync', () =>
      whyUnsettled(devices, this.#stage.view, this.#scenario.end.waits ?? {}),
    );
    for (const device of devices) await noteContents(device, this.#kept);
  }

  async #wait(what: string, why: () => Promise<string | null>): Promise<void> {
    const deadline = performance.now() + this.#options.timeoutMs;
    for (;;) {
      const reason = await why();
      if (reason === null) return;
      if (performance.now() > deadline) throw new Error(`waited in vain until ${what}: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, this.#options.pollMs));
    }
  }

  async end(): Promise<void> {
    const { end } = this.#scenario;
    const { down = [], only = {}, without = {}, notices = {}, unsynced = {}, versions = {} } = end;
    await this.#settle([]);
    const wrong: string[] = [];
    for (const [name, device] of this.#devices) {
      if (!device.isRunning && !down.includes(name)) wrong.push(`${name} does not run`);
      if (down.includes(name) && only[name] === undefined) continue;
      const tree = Object.fromEntries(
        Object.entries(down.includes(name) ? {} : end.tree).filter(
          ([path]) => !(without[name] ?? []).includes(path),
        ),
      );
      const differences = findDifferences({ ...tree, ...only[name] }, readSeen(device.user), end.maybe);
      wrong.push(...differences.map((line) => `${name}: ${line}`));
      const status = await device.status();
      for (const kind of notices[name] ?? []) {
        if (!status?.notices.some((notice) => notice.kind === kind))
          wrong.push(
            `${name} gave no notice of ${kind}: ${JSON.stringify(status?.notices.map((n) => n.kind))}`,
          );
      }
      for (const path of unsynced[name] ?? []) {
        if (!status?.unsynced.some((each) => each.path === path || each.path === `/${path}`))
          wrong.push(`${name} does not list ${path} as not synced: ${JSON.stringify(status?.unsynced)}`);
      }
    }
    wrong.push(...(await this.#checkVersions(versions)), ...(await this.#checkQuiet()));
    for (const content of end.reachable ?? []) {
      const bytes = bytesOf(content);
      this.#kept.set(await keyOf(bytes), {
        where: 'named by the scenario',
        text: String(content).slice(0, 60),
      });
    }
    for (const content of end.mayBeGone ?? []) this.#kept.delete(await keyOf(bytesOf(content)));
    wrong.push(...(await findUnreachable(this.#kept, [...this.#devices.values()], this.#stage.view)));
    if (wrong.length > 0) throw new Error(`the end is not as it must be:\n  ${wrong.join('\n  ')}`);
  }

  async #checkVersions(expected: Readonly<Record<string, number>>): Promise<string[]> {
    const wrong: string[] = [];
    if (Object.keys(expected).length === 0) return wrong;
    const entries = await this.#stage.view.entries();
    for (const [path, count] of Object.entries(expected)) {
      const entry = entries.find(({ name }) => name === path.split('/').at(-1));
      const versions = entry === undefined ? [] : await this.#stage.view.versions(entry.entryId);
      if (versions.length !== count) wrong.push(`${path} has ${versions.length} versions, not ${count}`);
    }
    return wrong;
  }

  /** I14: looking again at everything changes nothing. */
  async #checkQuiet(): Promise<string[]> {
    const before = await this.#stage.view.sequence();
    const devices = [...this.#devices.values()].filter((each) => each.isRunning && each.isOnline);
    for (const device of devices) await device.refresh();
    await this.#settle([]);
    const after = await this.#stage.view.sequence();
    return before === after ? [] : [`nothing happened, and the journal grew from ${before} to ${after}`];
  }
}
