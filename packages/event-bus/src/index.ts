export type { BusEvent, EventBus } from './event-bus.ts';
