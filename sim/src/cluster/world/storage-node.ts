import type { BlockLocation, Fence } from '@cairn/block-store';
import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import { type BlockId, CairnError } from '@cairn/model';
import type { NodeStatus } from '@cairn/protocol';
import type { Draw } from '../../random.ts';
import type { Timeline } from '../../world/timeline.ts';
import { NodeDisk } from './node-disk.ts';
import { SimulatedProcess } from './simulated-process.ts';
import { StoreFolder } from './store-folder.ts';

export interface StorageNodeEvents {
  /** A delete took place on this disk of the node. */
  onDelete(node: StorageNode, disk: NodeDisk, blockId: BlockId, fence: Fence | undefined): Promise<void>;
  /** Blocks were put on this disk of the node by a process that has run for so long. */
  onPut(node: StorageNode, disk: NodeDisk, runsForMs: number): Promise<void>;
  /** The node has started, and this is wrong with what it found in its folder. */
  onProblem(node: StorageNode, problem: string): void;
}

/** One storage node of the world: a folder that outlives its processes, and what can be wrong with the machine. */
export class StorageNode {
  readonly nodeId: string;
  readonly zone: string;
  readonly #timeline: Timeline;
  readonly #draw: Draw;
  readonly #events: StorageNodeEvents;
  readonly #environmentOf: (process: SimulatedProcess) => Environment;
  disk: NodeDisk;
  /** A copy of the folder from earlier, to be put back one day. */
  snapshot: NodeDisk | null = null;
  process: SimulatedProcess | null = null;
  /** Another process that runs on a copy of the folder, under the same id and address. */
  twin: { readonly disk: NodeDisk; readonly process: SimulatedProcess } | null = null;
  isFull = false;
  isReadOnly = false;
  /** What each request takes on top. */
  slowMs = 0;
  /** Of 100 answers with a block, so many have other bytes. */
  garbledPercent = 0;
  /** When the cluster forgot it; its machine may run on. */
  removedMs: number | null = null;
  /** All folders that ever were here, those of twins and wiped ones too. */
  readonly everyDisk: NodeDisk[] = [];
  /** The most starts that any process under this id has counted. */
  highestBoot = 0;
  /** Resolves when a process has its folder open, or could not open it. */
  readonly #openings = new WeakMap<SimulatedProcess, Promise<void>>();
  readonly #startedMs = new WeakMap<SimulatedProcess, number>();
  #starts = 0;

  constructor(options: {
    readonly nodeId: string;
    readonly zone: string;
    readonly timeline: Timeline;
    readonly draw: Draw;
    readonly events: StorageNodeEvents;
    readonly environmentOf: (process: SimulatedProcess) => Environment;
  }) {
    this.nodeId = options.nodeId;
    this.zone = options.zone;
    this.#timeline = options.timeline;
    this.#draw = options.draw;
    this.#events = options.events;
    this.#environmentOf = options.environmentOf;
    this.disk = this.#newDisk(0, {});
    this.everyDisk.push(this.disk);
  }

  #newDisk(bootCount: number, tokens: Readonly<Record<string, number>>): NodeDisk {
    const folder = new StoreFolder(this.#timeline, this.#draw);
    const storeUuid = `${this.nodeId}-disk-${this.#starts}`;
    return new NodeDisk(storeUuid, bootCount, tokens, folder, () => this.#timeline.nowMs);
  }

  get isUp(): boolean {
    return this.process !== null;
  }

  start(): void {
    if (this.process !== null) return;
    this.process = this.#startOn(this.disk);
  }

  #startOn(disk: NodeDisk): SimulatedProcess {
    disk.bootCount++;
    this.highestBoot = Math.max(this.highestBoot, disk.bootCount);
    const started = new SimulatedProcess(`${this.nodeId}.${this.#starts++}`, this.#timeline);
    const opening = disk.open(started, this.#environmentOf(started)).then(
      async ({ problems, deleted }) => {
        for (const problem of problems) this.#events.onProblem(this, problem);
        for (const { blockId, fence } of deleted)
          await this.#timeline.hold(() => this.#events.onDelete(this, disk, blockId, fence));
      },
      (error: unknown) => {
        if (!started.isDead) this.#events.onProblem(this, `it cannot start: ${String(error)}`);
      },
    );
    this.#openings.set(started, opening);
    this.#startedMs.set(started, this.#timeline.nowMs);
    return started;
  }

  /** Ends the process in the midst of whatever it does; what it had written stays. */
  async kill(): Promise<void> {
    const { process, disk } = this;
    this.process = null;
    if (process !== null) await this.#end(process, disk, false);
  }

  /** Ends the process, if there is one, and what was not flushed is gone, wholly or in part. */
  async cutPower(): Promise<void> {
    const { process, disk } = this;
    this.process = null;
    await this.#end(process, disk, true);
  }

  async #end(process: SimulatedProcess | null, disk: NodeDisk, isPowerCut: boolean): Promise<void> {
    process?.kill();
    const left = disk.leave(isPowerCut);
    await this.#timeline.hold(() => left);
  }

  /** Removes everything that is left of its folders. */
  async remove(): Promise<void> {
    await this.endTwin();
    await this.kill();
    for (const disk of this.everyDisk) disk.remove();
    this.snapshot?.remove();
  }

  /** The disk was replaced by an empty one; the node's identity was elsewhere and stays. */
  wipe(): void {
    const { bootCount, fencing } = this.disk;
    const { usedTokens } = this.disk;
    this.replaceDisk(this.#newDisk(bootCount, fencing.highest));
    for (const [job, token] of usedTokens) this.disk.usedTokens.set(job, token);
  }

  replaceDisk(disk: NodeDisk): void {
    this.disk = disk;
    this.everyDisk.push(disk);
  }

  async startTwin(): Promise<void> {
    if (this.twin !== null || this.process === null) return;
    const disk = this.disk.copy();
    // Both were started from the same folder.
    disk.bootCount--;
    this.everyDisk.push(disk);
    this.twin = { disk, process: this.#startOn(disk) };
  }

  async endTwin(): Promise<void> {
    const { twin } = this;
    this.twin = null;
    if (twin !== null) await this.#end(twin.process, twin.disk, false);
  }

  /** Which of the processes at the address a new connection reaches. */
  answering(): SimulatedProcess | null {
    if (this.twin === null) return this.process;
    return this.#draw.chance(50) ? this.twin.process : this.process;
  }

  #diskOf(process: SimulatedProcess): NodeDisk {
    return this.twin?.process === process ? this.twin.disk : this.disk;
  }

  /** Does something that writes; the store takes further time for that. */
  async #write<Result>(process: SimulatedProcess, work: () => Promise<Result>): Promise<Result> {
    await this.#openings.get(process);
    await process.hop(1 + this.#draw.below(8) + this.slowMs);
    return work();
  }

  async #read<Result>(process: SimulatedProcess, work: () => Promise<Result>): Promise<Result> {
    await this.#openings.get(process);
    if (this.slowMs > 0) await process.hop(this.slowMs);
    return work();
  }

  async status(process: SimulatedProcess): Promise<NodeStatus> {
    await this.#openings.get(process);
    const disk = this.#diskOf(process);
    const usage = await disk.blocks.usage();
    return {
      nodeId: this.nodeId,
      storeUuid: disk.storeUuid,
      bootCount: disk.bootCount,
      bootId: process.name,
      version: '0',
      usage,
      freeBytes: this.isFull ? 0 : 1_000_000,
      totalBytes: 2_000_000,
      refusesWrites: this.isReadOnly ? 'the disk is read-only' : null,
      fencingTokens: { ...disk.fencing.highest },
    };
  }

  put(
    process: SimulatedProcess,
    blocks: readonly StoredBlock[],
    above: ReadonlyMap<BlockId, number> | undefined,
  ): Promise<readonly BlockLocation[]> {
    const disk = this.#diskOf(process);
    return this.#write(process, async () => {
      if (this.isReadOnly) throw new CairnError('unavailable', 'the disk is read-only');
      if (this.isFull) {
        const isNew = blocks.some(({ blockId }) => disk.generationOf(blockId) <= (above?.get(blockId) ?? 0));
        if (isNew) throw new CairnError('storage-full', 'the disk is full');
      }
      const locations = await disk.put(blocks, above);
      const runsForMs = this.#timeline.nowMs - (this.#startedMs.get(process) ?? 0);
      await this.#timeline.hold(() => this.#events.onPut(this, disk, runsForMs));
      return locations;
    });
  }

  delete(
    process: SimulatedProcess,
    location: Pick<BlockLocation, 'blockId' | 'generation'>,
    fence: Fence | undefined,
  ): Promise<boolean> {
    const disk = this.#diskOf(process);
    return this.#write(process, async () => {
      if (!(await disk.delete(location, fence))) return false;
      await this.#timeline.hold(() => this.#events.onDelete(this, disk, location.blockId, fence));
      return true;
    });
  }

  /** In the order asked; `'damaged'` for what cannot be read. */
  get(process: SimulatedProcess, blockIds: readonly BlockId[]): Promise<(StoredBlock | null | 'damaged')[]> {
    const disk = this.#diskOf(process);
    return this.#read(process, async () => {
      const { blocks } = disk;
      const found: (StoredBlock | null | 'damaged')[] = [];
      for (const blockId of blockIds) {
        const block = await blocks.get(blockId).catch(() => 'damaged' as const);
        found.push(this.#garble(block));
      }
      return found;
    });
  }

  #garble(block: StoredBlock | null | 'damaged'): StoredBlock | null | 'damaged' {
    if (block === null || block === 'damaged' || !this.#draw.chance(this.garbledPercent)) return block;
    const payload = new Uint8Array(block.payload);
    payload[0] = (payload[0] ?? 0) ^ 0x20;
    return { ...block, payload };
  }

  /** Something else that reads, on the real store. */
  read<Result>(
    process: SimulatedProcess,
    work: (blocks: NodeDisk['blocks']) => Promise<Result>,
  ): Promise<Result> {
    const disk = this.#diskOf(process);
    return this.#read(process, () => work(disk.blocks));
  }
}
