import type { StoredBlock } from '@cairn/content';
import type { Environment } from '@cairn/environment';
import type {
  BlockLocationRecord,
  BlockMovePhase,
  BlockPlaceRecord,
  MetadataStore,
} from '@cairn/metadata-store';
import { CairnError, createId, isCairnError } from '@cairn/model';
import { authoriseAdministrator, type Principal } from '@cairn/services';
import { withJobLease } from './job-lease.ts';
import { keepLease, MOVE_JOB, moveBlocks, type OpenedMove } from './move-blocks.ts';

/** The places of blocks, as the process has them open. */
export interface BlockPlaces {
  /** What is wrong with what the server was told at its start, where the blocks are now; `null` for nothing. */
  warnOf(location: BlockLocationRecord): string | null;
  /** Whether this text means that place. @throws CairnError `bad-request` */
  isSame(target: string, place: BlockPlaceRecord): boolean;
  /**
   * Looks whether blocks can be moved there, and marks a folder as this server's.
   * @throws CairnError `bad-request`, `precondition-failed`
   */
  prepare(target: string, location: BlockLocationRecord): Promise<BlockPlaceRecord>;
  /**
   * Makes the process do what the record says: what is recorded comes first, so that nothing is ever written where no
   * restart would look. Nothing happens when it does so already. Returns what is open for the move, if there is one.
   */
  apply(location: BlockLocationRecord): Promise<OpenedMove | null>;
}

export interface BlockMoveState {
  readonly from: string;
  readonly to: string;
  readonly phase: BlockMovePhase;
  readonly isReturn: boolean;
  readonly leavesDamaged: boolean;
  readonly bytesPerSecond: number | null;
  readonly startedAt: number;
  readonly checkedBlocks: number;
  readonly totalBlocks: number;
  readonly copiedBlocks: number;
  readonly copiedBytes: number;
  readonly badBlocks: number;
  /** Copied each second since this process works on it; `null` while that is not known. */
  readonly bytesEachSecond: number | null;
  readonly secondsLeft: number | null;
  /** Why it does not get on, for people. */
  readonly problem: string | null;
}

/** Where the blocks are, and how far a move of them is. */
export interface BlocksState {
  readonly place: string;
  readonly previous: string | null;
  readonly movedAt: number | null;
  readonly leftBlocks: number;
  readonly warning: string | null;
  readonly move: BlockMoveState | null;
}

export interface BlockMoveRequest {
  /** As in CAIRN_BLOCKS. */
  readonly target: string;
  readonly bytesPerSecond?: number | null;
  readonly leavesDamaged?: boolean;
}

/** What administrators may ask for. For others there is nothing: `not-found`. */
export interface BlockMoveService {
  state(principal: Principal): Promise<BlocksState>;
  /**
   * Begins a move, or changes the settings of the one that goes there already. Returns at once.
   * @throws CairnError `not-found`, `bad-request` for no place, `precondition-failed` for one that blocks cannot be
   * moved to now
   */
  begin(principal: Principal, request: BlockMoveRequest): Promise<BlocksState>;
  /** Turns the move round. @throws CairnError `not-found`, `precondition-failed` where none is under way */
  cancel(principal: Principal): Promise<BlocksState>;
}

export interface BlockMoveMeasures {
  readonly isActive: boolean;
  readonly checkedBlocks: number;
  readonly totalBlocks: number;
  readonly copiedBytes: number;
  readonly badBlocks: number;
}

export interface BlockMoveJob {
  readonly service: BlockMoveService;
  measure(): Promise<BlockMoveMeasures>;
  /** Goes on with a move that is recorded. */
  start(): void;
  /** Ends what is under way, and resolves then. May be called again. */
  stop(): Promise<void>;
}

export interface BlockMoveDependencies {
  readonly store: MetadataStore;
  readonly environment: Environment;
  readonly verify: (block: StoredBlock) => boolean;
  readonly places: BlockPlaces;
}

/** Short, since a server that was killed goes on when its lease is over. */
const LEASE_MS = 15_000;
const RETRY_MS = 5_000;
/** A node may come back at any moment; what is damaged needs somebody, who says so by asking for the move again. */
const HELD_MS = 30_000;
const DAMAGED_MS = 10 * 60_000;

function precondition(message: string): CairnError {
  return new CairnError('precondition-failed', message);
}

/** Moves all blocks to another place while the server serves (docs/adr/0017-moving-blocks.md). */
export function createBlockMoveJob({
  store,
  environment,
  verify,
  places,
}: BlockMoveDependencies): BlockMoveJob {
  const { clock, log, random, timers } = environment;
  const holder = createId<string>(random.bytes(16));
  const stopping = new AbortController();
  let attempt = new AbortController();
  let loop: Promise<void> | null = null;
  let wake: () => void = () => undefined;
  let isDue = true;
  let problem: string | null = null;
  let totalBlocks = 0;
  /** Where this process began to work on the present walk. */
  let since: { readonly atMs: number; readonly checkedBlocks: number; readonly copiedBytes: number } | null =
    null;

  async function readLocation(): Promise<BlockLocationRecord> {
    const location = await store.read((reader) => reader.getBlockLocation());
    if (location !== undefined) return location;
    throw precondition(
      'it is not recorded yet where the blocks are, since the server could not write into their folder when it started; free some space and start it again',
    );
  }

  function note({ move }: BlockLocationRecord): void {
    if (move === null) {
      since = null;
      return;
    }
    const { checkedBlocks, copiedBytes } = move;
    // It gets on again.
    if (since !== null && copiedBytes > since.copiedBytes) problem = null;
    if (since === null || checkedBlocks < since.checkedBlocks) {
      since = { atMs: clock.monotonicMs(), checkedBlocks, copiedBytes };
    }
  }

  async function work(signal: AbortSignal): Promise<'ended' | 'held' | 'busy' | 'nothing'> {
    const before = await store.read((reader) => reader.getBlockLocation());
    if (before === undefined || before.move === null) return 'nothing';
    const outcome = await withJobLease(
      { store, environment },
      { name: MOVE_JOB, holder, signal, leaseMs: LEASE_MS },
      async (ending, fence) => {
        const location = await readLocation();
        const { move } = location;
        const opened = await places.apply(location);
        if (move === null || opened === null) return 'nothing';
        totalBlocks = (await store.read((reader) => reader.countAll())).blocks;
        since = null;
        return moveBlocks({
          store,
          environment,
          verify,
          opened,
          location: { ...location, move },
          signal: ending,
          keepJob: (transaction) => keepLease(transaction, fence, holder, clock.now(), LEASE_MS),
          onProgress: note,
        });
      },
    );
    if (outcome !== 'ended') return outcome ?? 'busy';
    await places.apply(await readLocation());
    return 'ended';
  }

  /** Resolves after this time, or when there is something to do. */
  async function sleep(durationMs: number | null): Promise<void> {
    if (isDue || stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const cancel = durationMs === null ? () => undefined : timers.schedule(durationMs, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
    wake = () => undefined;
  }

  function poke(): void {
    isDue = true;
    attempt.abort(new CairnError('cancelled', 'the move of the blocks has other settings now'));
    wake();
  }

  async function keepWorking(): Promise<void> {
    while (!stopping.signal.aborted) {
      isDue = false;
      attempt = new AbortController();
      let waitMs: number | null = RETRY_MS;
      try {
        const outcome = await work(AbortSignal.any([attempt.signal, stopping.signal]));
        if (outcome === 'held') {
          const { move } = await readLocation();
          const was = problem;
          problem =
            (move?.badBlocks ?? 0) > 0
              ? `${move?.badBlocks} blocks cannot be read in either place; "cairn admin verify" names their files. Upload these again, delete them, or end the move without them with --leave-damaged`
              : 'some blocks could not be copied, or are on fewer storage nodes than wanted; see "cairn admin nodes". It is tried again';
          if (problem !== was) log.warn('blocks.move-held', { problem, badBlocks: move?.badBlocks ?? 0 });
          waitMs = (move?.badBlocks ?? 0) > 0 ? DAMAGED_MS : HELD_MS;
        } else {
          if (outcome !== 'busy') problem = null;
          if (outcome === 'ended' || outcome === 'nothing') waitMs = null;
        }
      } catch (error) {
        if (!stopping.signal.aborted && !attempt.signal.aborted) {
          problem = error instanceof Error ? error.message : String(error);
          log.warn('blocks.move-waits', {
            problem,
            code: isCairnError(error) ? error.code : null,
          });
        }
      }
      await sleep(waitMs);
    }
  }

  async function describe(): Promise<BlocksState> {
    const location = await readLocation();
    const { place, previous, movedAt, leftBlocks, move } = location;
    const state = {
      place: place.setting,
      previous: previous?.setting ?? null,
      movedAt,
      leftBlocks,
      // Of what was read, as all of this: the process follows that a moment later.
      warning: places.warnOf(location),
    };
    if (move === null) return { ...state, move: null };
    const { target, position: _position, ...figures } = move;
    const [from, to] = move.isReturn ? [target, place] : [place, target];
    const elapsedS = since === null ? 0 : (clock.monotonicMs() - since.atMs) / 1000;
    const checked = since === null ? 0 : move.checkedBlocks - since.checkedBlocks;
    const total = Math.max(totalBlocks, move.checkedBlocks);
    return {
      ...state,
      move: {
        ...figures,
        from: from.setting,
        to: to.setting,
        totalBlocks: total,
        bytesEachSecond:
          since === null || elapsedS < 1
            ? null
            : Math.round((move.copiedBytes - since.copiedBytes) / elapsedS),
        secondsLeft:
          checked === 0 || elapsedS < 1
            ? null
            : Math.round((total - move.checkedBlocks) / (checked / elapsedS)),
        problem,
      },
    };
  }

  return {
    service: {
      async state(principal) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        return describe();
      },
      async begin(principal, { target, bytesPerSecond, leavesDamaged }) {
        await store.read((reader) => authoriseAdministrator(reader, principal));
        const before = await readLocation();
        const startedAt = clock.now();
        if (before.move === null) {
          const prepared = await places.prepare(target, before);
          await store.transact(async (transaction) => {
            await authoriseAdministrator(transaction, principal);
            const now = await transaction.getBlockLocation();
            if (now === undefined || now.move !== null || now.place.placeId !== before.place.placeId) {
              throw precondition(
                'another move was begun at the same moment; see "cairn admin blocks status"',
              );
            }
            await transaction.setBlockLocation({
              ...now,
              move: {
                target: prepared,
                phase: 'copying',
                isReturn: false,
                leavesDamaged: leavesDamaged ?? false,
                bytesPerSecond: bytesPerSecond ?? null,
                startedAt,
                position: 0,
                checkedBlocks: 0,
                copiedBlocks: 0,
                copiedBytes: 0,
                badBlocks: 0,
              },
            });
          });
          const { userId } = principal;
          log.info('blocks.move-begun', { from: before.place.setting, to: prepared.setting, userId });
        } else {
          await store.transact(async (transaction) => {
            await authoriseAdministrator(transaction, principal);
            const now = await transaction.getBlockLocation();
            const to = now?.move?.isReturn === true ? now.place : now?.move?.target;
            if (now === undefined || now.move === null || to === undefined || !places.isSame(target, to)) {
              throw precondition(
                'another move of the blocks is under way; see "cairn admin blocks status", and cancel that one first with "cairn admin blocks move --cancel"',
              );
            }
            await transaction.setBlockLocation({
              ...now,
              move: {
                ...now.move,
                // What was held is looked at again at once.
                phase: now.move.phase === 'held' ? 'checking' : now.move.phase,
                ...(leavesDamaged === undefined ? {} : { leavesDamaged }),
                ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
              },
            });
          });
        }
        poke();
        return describe();
      },
      async cancel(principal) {
        await store.transact(async (transaction) => {
          await authoriseAdministrator(transaction, principal);
          const now = await transaction.getBlockLocation();
          if (now === undefined || now.move === null)
            throw precondition('no move of the blocks is under way');
          if (now.move.isReturn) return;
          await transaction.setBlockLocation({
            ...now,
            move: {
              ...now.move,
              phase: 'copying',
              isReturn: true,
              leavesDamaged: false,
              startedAt: clock.now(),
              position: 0,
              checkedBlocks: 0,
              copiedBlocks: 0,
              copiedBytes: 0,
              badBlocks: 0,
            },
          });
        });
        log.info('blocks.move-cancelled', { userId: principal.userId });
        problem = null;
        poke();
        return describe();
      },
    },
    async measure() {
      const location = await store.read((reader) => reader.getBlockLocation());
      const move = location?.move ?? null;
      return {
        isActive: move !== null,
        checkedBlocks: move?.checkedBlocks ?? 0,
        totalBlocks: move === null ? 0 : Math.max(totalBlocks, move.checkedBlocks),
        copiedBytes: move?.copiedBytes ?? 0,
        badBlocks: move?.badBlocks ?? 0,
      };
    },
    start() {
      loop ??= keepWorking();
    },
    async stop() {
      stopping.abort(new CairnError('unavailable', 'the server is stopping'));
      wake();
      await loop;
    },
  };
}
