import type { DeviceId, SpaceId, UserId } from '@cairn/model';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BusEvent, EventBus } from './event-bus.ts';

const advanced: BusEvent = { kind: 'space-advanced', spaceId: 's'.repeat(26) as SpaceId, sequence: 7 };
const revoked: BusEvent = {
  kind: 'device-revoked',
  userId: 'u'.repeat(26) as UserId,
  deviceId: 'd'.repeat(26) as DeviceId,
};

/** A bus as two server processes see it: `other` may be the same object where there is one process only. */
export interface EventBusSubject {
  readonly bus: EventBus;
  readonly other: EventBus;
  /** Errors of listeners that were logged so far. */
  readonly loggedErrors: () => number;
  readonly dispose: () => Promise<void>;
}

/** What every event bus must do. */
export function describeEventBus(name: string, open: () => Promise<EventBusSubject>): void {
  describe(`event bus contract: ${name}`, () => {
    let subject: EventBusSubject;
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.dispose());

    it('tells every subscriber, the publisher included, in order', async () => {
      const [here, there]: [BusEvent[], BusEvent[]] = [[], []];
      subject.bus.subscribe((event) => here.push(event));
      subject.other.subscribe((event) => there.push(event));
      subject.bus.publish(advanced);
      subject.bus.publish(revoked);
      await vi.waitFor(() =>
        expect([here, there]).toEqual([
          [advanced, revoked],
          [advanced, revoked],
        ]),
      );
    });

    it('never runs a listener inside publish', async () => {
      let heard = 0;
      subject.bus.subscribe(() => heard++);
      subject.bus.publish(advanced);
      expect(heard).toBe(0);
      await vi.waitFor(() => expect(heard).toBe(1));
    });

    it('ends one subscription and leaves the others, also of the same function', async () => {
      const listener = vi.fn();
      const end = subject.bus.subscribe(listener);
      subject.bus.subscribe(listener);
      end();
      end();
      subject.bus.publish(advanced);
      await vi.waitFor(() => expect(listener).toHaveBeenCalledTimes(1));
    });

    it('keeps the error of one listener from the others and from the publisher, and logs it', async () => {
      const heard: BusEvent[] = [];
      subject.bus.subscribe(() => {
        throw new Error('a listener broke');
      });
      subject.bus.subscribe((event) => heard.push(event));
      subject.bus.publish(advanced);
      subject.bus.publish(revoked);
      await vi.waitFor(() => expect(heard).toEqual([advanced, revoked]));
      expect(subject.loggedErrors()).toBe(2);
    });

    it('is silent and harmless after close', async () => {
      const listener = vi.fn();
      subject.bus.subscribe(listener);
      subject.bus.publish(advanced);
      await subject.bus.close();
      await subject.bus.close();
      subject.bus.publish(revoked);
      subject.bus.subscribe(listener)();
      await new Promise((resolve) => setImmediate(resolve));
      expect(listener.mock.calls.some(([event]) => event.kind === 'device-revoked')).toBe(false);
    });
  });
}
