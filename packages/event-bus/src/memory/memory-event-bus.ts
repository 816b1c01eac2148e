import { type Log, silentLog } from '@cairn/environment';
import type { BusEvent, EventBus } from '../event-bus.ts';

export interface MemoryEventBusOptions {
  /** Where a listener's error goes; nowhere unless told. */
  readonly log?: Log;
}

/** A bus within one process. Listeners run after the publisher's own step, in order, each by itself. */
export function createMemoryEventBus(options: MemoryEventBusOptions = {}): EventBus {
  const log = options.log ?? silentLog;
  // Each subscription is an object of its own, so one function can subscribe twice.
  const subscriptions = new Set<{ readonly listener: (event: BusEvent) => void }>();
  let closed = false;

  return {
    publish(event) {
      for (const subscription of subscriptions) {
        queueMicrotask(() => {
          if (!subscriptions.has(subscription)) return;
          try {
            subscription.listener(event);
          } catch (error) {
            log.error('event-bus.listener-failed', { kind: event.kind, error });
          }
        });
      }
    },
    subscribe(listener) {
      if (closed) return () => undefined;
      const subscription = { listener };
      subscriptions.add(subscription);
      return () => {
        subscriptions.delete(subscription);
      };
    },
    async close() {
      closed = true;
      subscriptions.clear();
    },
  };
}
