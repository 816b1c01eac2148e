import type { BusEvent, EventBus } from '@cairn/event-bus';
import type { DeviceId, SpaceId, UserId } from '@cairn/model';

export type TransferAnnounced = Extract<BusEvent, { kind: 'transfer-announced' }>;

/** Spreads the hints of the bus to whoever waits for one space or one device, with one subscription in all. */
export interface HintBoard {
  onSpaceAdvanced(spaceId: SpaceId, listener: (sequence: number) => void): () => void;
  onDeviceRevoked(deviceId: DeviceId, listener: () => void): () => void;
  /** What any device of the user announces. */
  onTransferAnnounced(userId: UserId, listener: (event: TransferAnnounced) => void): () => void;
  close(): void;
}

function createTopics<Key, Value>() {
  const listeners = new Map<Key, Set<(value: Value) => void>>();
  return {
    add(key: Key, listener: (value: Value) => void): () => void {
      const set = listeners.get(key) ?? new Set();
      listeners.set(key, set);
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(key) === set) listeners.delete(key);
      };
    },
    tell(key: Key, value: Value): void {
      for (const listener of [...(listeners.get(key) ?? [])]) listener(value);
    },
  };
}

export function createHintBoard(bus: EventBus): HintBoard {
  const spaces = createTopics<SpaceId, number>();
  const devices = createTopics<DeviceId, undefined>();
  const transfers = createTopics<UserId, TransferAnnounced>();
  /** Spaces that advanced in this turn and how far: commits that shared a flush make one hint. */
  const advanced = new Map<SpaceId, number>();

  function tellAdvanced(): void {
    const reached = [...advanced];
    advanced.clear();
    for (const [spaceId, sequence] of reached) spaces.tell(spaceId, sequence);
  }

  function noteAdvanced(spaceId: SpaceId, sequence: number): void {
    if (advanced.size === 0) queueMicrotask(tellAdvanced);
    advanced.set(spaceId, Math.max(sequence, advanced.get(spaceId) ?? 0));
  }

  const unsubscribe = bus.subscribe((event) => {
    if (event.kind === 'space-advanced') noteAdvanced(event.spaceId, event.sequence);
    else if (event.kind === 'transfer-announced') transfers.tell(event.userId, event);
    else devices.tell(event.deviceId, undefined);
  });
  return {
    onSpaceAdvanced: spaces.add,
    onDeviceRevoked: devices.add,
    onTransferAnnounced: transfers.add,
    close: unsubscribe,
  };
}
