import { homedir, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { CairnError } from '@cairn/model';
import type { CliContext } from './context.ts';

/** Folder with this device's configuration and state: CAIRN_HOME, else the platform's place for such. */
export function homeFolder(context: CliContext): string {
  const { variables } = context;
  if (variables['CAIRN_HOME']) return resolve(variables['CAIRN_HOME']);
  if (process.platform === 'win32' && variables['APPDATA']) return join(variables['APPDATA'], 'cairn');
  // The specification says that a relative path there is to be ignored.
  if (variables['XDG_CONFIG_HOME']?.startsWith('/')) return join(variables['XDG_CONFIG_HOME'], 'cairn');
  return join(variables['HOME'] || homedir(), '.config', 'cairn');
}

/** Display name of this device: CAIRN_DEVICE, else the machine's name. */
export function deviceName(context: CliContext): string {
  return (context.variables['CAIRN_DEVICE'] || hostname() || 'Unknown device').slice(0, 100);
}

/** Whether the person accepted that tokens travel unencrypted: CAIRN_ALLOW_HTTP=1. */
export function allowsHttp(context: CliContext): boolean {
  return ['1', 'true', 'yes'].includes((context.variables['CAIRN_ALLOW_HTTP'] ?? '').toLowerCase());
}

/**
 * How much of large files that other devices are still sending is received before they are committed: CAIRN_AHEAD_MIB, in
 * MiB; 0 turns it off. `undefined` unless told. Throws `usage` for anything but a whole number.
 */
export function aheadBytes(context: CliContext): number | undefined {
  const text = context.variables['CAIRN_AHEAD_MIB'];
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw new CairnError('usage', `CAIRN_AHEAD_MIB is a whole number of MiB, 0 for none, not "${text}"`);
  return Number(text) * 1024 * 1024;
}
