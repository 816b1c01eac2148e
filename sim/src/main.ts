import { runCommand } from './command.ts';
import { deviceWorlds } from './device-worlds.ts';

await runCommand(deviceWorlds);
