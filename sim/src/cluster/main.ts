import { runCommand } from '../command.ts';
import { clusterWorlds } from './cluster-worlds.ts';

await runCommand(clusterWorlds);
