export type { BusEvent, EventBus } from './event-bus.ts';
export { createMemoryEventBus, type MemoryEventBusOptions } from './memory/memory-event-bus.ts';
