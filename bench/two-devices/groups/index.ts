import type { GroupName } from '../measurement.ts';
import { atRest } from './at-rest.ts';
import type { Group } from './group.ts';
import { largeFile } from './large-file.ts';
import { latency } from './latency.ts';
import { existingFolder, text } from './moved-in.ts';
import { smallFiles } from './small-files.ts';

export const GROUPS: Readonly<Record<GroupName, Group>> = {
  large: largeFile,
  small: smallFiles,
  text,
  latency,
  rest: atRest,
  folder: existingFolder,
};
