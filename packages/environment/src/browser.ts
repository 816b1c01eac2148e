export type { Clock, Environment, Log, LogFields, Random, Timers } from './environment.ts';
export { silentLog } from './silent-log.ts';
