import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { DeviceStatus } from './two-device-world.ts';

const TIMEOUT_MS = 10_000;

/**
 * Asks the sync daemon of a device that has one folder for its status on its control socket, which costs a
 * thousandth of what the command does.
 * @param home the device's CAIRN_HOME
 * @returns `null` while no daemon listens there
 */
export async function askDaemonStatus(home: string): Promise<DeviceStatus | null> {
  const path = findSocket(home);
  if (path === null) return null;
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = '';
    socket.setTimeout(TIMEOUT_MS, () => {
      socket.destroy();
      reject(new Error(`the daemon behind ${path} does not answer`));
    });
    socket.on('error', () => resolve(null)).on('close', () => resolve(null));
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (!text.includes('\n')) return;
      socket.end();
      const answer = JSON.parse(text) as { ok: boolean; data: DeviceStatus };
      resolve(answer.ok ? answer.data : null);
    });
    socket.write('{"command":"status"}\n');
  });
}

function findSocket(home: string): string | null {
  const links = join(home, 'links');
  const [link] = existsSync(links) ? readdirSync(links) : [];
  if (link === undefined) return null;
  const beside = join(links, link, 'control.sock');
  const elsewhere = join(tmpdir(), `cairn-${userInfo().uid}`, `${link}.sock`);
  return [beside, elsewhere].find((path) => existsSync(path)) ?? null;
}
