export type { Clock, Environment, Log, LogFields, Random, Timers } from './environment.ts';
export { silentLog } from './silent-log.ts';
export {
  createSeededRandom,
  createSimulatedEnvironment,
  type SimulatedEnvironment,
  type SimulationOptions,
} from './simulated/simulated-environment.ts';
export {
  createSystemEnvironment,
  systemClock,
  systemRandom,
  systemTimers,
} from './system/system-environment.ts';
