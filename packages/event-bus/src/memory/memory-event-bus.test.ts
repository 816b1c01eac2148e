import { type Log, silentLog } from '@cairn/environment';
import { describeEventBus } from '../contract.ts';
import { createMemoryEventBus } from './memory-event-bus.ts';

describeEventBus('memory', async () => {
  let errors = 0;
  const log: Log = { ...silentLog, error: () => errors++ };
  const bus = createMemoryEventBus({ log });
  return { bus, other: bus, loggedErrors: () => errors, dispose: () => bus.close() };
});
