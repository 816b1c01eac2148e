import type { RegisterCommand } from '../register-command.ts';
import { registerAdmin } from './admin.ts';
import { registerConflicts } from './conflicts.ts';
import { registerDemo } from './demo.ts';
import { registerDevices } from './devices.ts';
import { registerFiles } from './files.ts';
import { registerNode } from './node.ts';
import { registerPolicy } from './policy.ts';
import { registerRetention } from './retention.ts';
import { registerServe } from './serve.ts';
import { registerSignIn } from './sign-in.ts';
import { registerSync } from './sync.ts';
import { registerTransfers } from './transfers.ts';
import { registerTrash } from './trash.ts';
import { registerVersions } from './versions.ts';
import { registerWhy } from './why.ts';

/**
 * Every command, in the order of `cairn --help`. To add one: write commands/<noun>.ts (or commands/<noun>/) with
 * a `RegisterCommand` that imports heavy modules only inside its action, and name it here.
 */
export const COMMANDS: readonly RegisterCommand[] = [
  registerServe,
  registerNode,
  registerSignIn,
  registerDevices,
  registerSync,
  registerWhy,
  registerFiles,
  registerTransfers,
  registerVersions,
  registerConflicts,
  registerPolicy,
  registerTrash,
  registerRetention,
  registerAdmin,
  registerDemo,
];
