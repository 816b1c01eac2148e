import { BLOCK_BUGS } from './bugs/blocks.ts';
import { CLIENT_BUGS } from './bugs/client.ts';
import { CLUSTER_BUGS } from './bugs/cluster.ts';
import { CODING_BUGS } from './bugs/coding.ts';
import { DISK_BUGS } from './bugs/disk.ts';
import { ENGINE_BUGS } from './bugs/engine.ts';
import { MAINTENANCE_BUGS } from './bugs/maintenance.ts';
import { PLANNER_BUGS } from './bugs/planner.ts';
import { SERVER_BUGS } from './bugs/server.ts';
import type { PlantedBug } from './planted-bug.ts';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...PLANNER_BUGS,
  ...ENGINE_BUGS,
  ...BLOCK_BUGS,
  ...CODING_BUGS,
  ...CLIENT_BUGS,
  ...DISK_BUGS,
  ...SERVER_BUGS,
  ...MAINTENANCE_BUGS,
  ...CLUSTER_BUGS,
];
