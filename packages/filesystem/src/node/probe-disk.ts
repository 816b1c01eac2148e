import {
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { FilesystemCapabilities } from '../filesystem.ts';
import { systemCode } from '../local-errors.ts';
import type { HeldFolder } from './folder-access.ts';

export interface DiskFacts {
  readonly capabilities: FilesystemCapabilities;
  readonly hardLinks: boolean;
  readonly umask: number;
}

/** Finds out by trying, in a folder of its own inside the private area, what this disk can do. */
export function probeDisk(privateFolder: HeldFolder): DiskFacts {
  const probe = mkdtempSync(`${privateFolder.base}/probe-`);
  try {
    const mode = modeOfNewFile(`${probe}/mode`);
    writeFileSync(`${probe}/case-a\u00e9`, '', { flag: 'wx' });
    return {
      capabilities: {
        caseSensitive: !exists(`${probe}/CASE-A\u00e9`),
        unicodeSensitive: !exists(`${probe}/case-ae\u0301`),
        symbolicLinks: can(() => symlinkSync('nowhere', `${probe}/link`)),
        executableBit: mode !== null,
        birthTimes: lstatSync(`${probe}/mode`, { bigint: true }).birthtimeNs !== 0n,
        // Windows, and its filesystems mounted elsewhere.
        reservedNames:
          process.platform === 'win32' || !can(() => writeFileSync(`${probe}/a:b?`, '', { flag: 'wx' }))
            ? 'windows'
            : 'none',
      },
      hardLinks: can(() => linkSync(`${probe}/mode`, `${probe}/second`)),
      umask: mode === null ? 0 : ~mode & 0o777,
    };
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/**
 * The permission bits that a new file asking for all of them gets, or `null` when the disk keeps no executable
 * bit: a file that does not ask for it must not get it.
 */
function modeOfNewFile(path: string): number | null {
  const withAll = createWithMode(path, 0o777);
  const withoutExecute = createWithMode(`${path}-plain`, 0o666);
  const keepsBit = process.platform !== 'win32' && (withoutExecute & 0o100) === 0 && (withAll & 0o100) !== 0;
  return keepsBit ? withAll : null;
}

function createWithMode(path: string, mode: number): number {
  const descriptor = openSync(path, 'wx', mode);
  try {
    return fstatSync(descriptor).mode & 0o777;
  } finally {
    closeSync(descriptor);
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function can(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    // A full or failing disk says nothing about what it can do.
    if (['ENOSPC', 'EDQUOT', 'EIO'].includes(systemCode(error))) throw error;
    return false;
  }
}
