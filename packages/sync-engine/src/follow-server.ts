import type { TreeStore } from '@cairn/tree-store';
import type { Attention } from './attention.ts';
import type { ReceivingAhead } from './execute/receive-ahead.ts';
import type { SpaceConnection } from './ports.ts';
import type { Retries } from './retries.ts';
import type { EngineFacts } from './status.ts';

interface ServerHintDeps {
  readonly space: Pick<SpaceConnection, 'hints'>;
  readonly trees: Pick<TreeStore, 'cursor'>;
  readonly attention: Attention;
  readonly retries: Retries;
  readonly ahead: Pick<ReceivingAhead, 'take'>;
  /** Up to here our own commits brought the journal. */
  committedSequence(): number;
  readonly facts: EngineFacts;
  onChange(): void;
}

/** Turns what the server says into a look at its journal; what it announces is received ahead. */
export function followServer(deps: ServerHintDeps): { close(): void } {
  const { space, trees, attention, retries, ahead, facts } = deps;
  return space.hints(
    (sequence) => {
      const known = Math.max(trees.cursor?.sequence ?? 0, deps.committedSequence());
      if (sequence !== null && trees.cursor !== null && known >= sequence) return;
      if (sequence === null) attention.server();
      else attention.serverReached(sequence);
      retries.reset();
      attention.wake.ring();
    },
    (state) => {
      if (facts.connection !== 'offline' || state === 'live') facts.connection = state;
      deps.onChange();
    },
    (announcement) => ahead.take(announcement),
  );
}
