import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type DaemonRequest, daemonResponseSchema } from '@cairn/protocol';

const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Asks a running daemon over its control socket, as `cairn sync status` does, without starting a process for it.
 * @param home the device's CAIRN_HOME; short, as sockets have short paths
 */
export function askDaemon(
  home: string,
  folder: string,
  command: Exclude<DaemonRequest['command'], 'why'>,
): Promise<unknown> {
  const { links } = JSON.parse(readFileSync(join(home, 'links.json'), 'utf8')) as {
    links: { linkId: string; folder: string }[];
  };
  const link = links.find((each) => each.folder === folder);
  if (link === undefined) return Promise.reject(new Error(`${folder} is not linked`));
  return new Promise((resolve, reject) => {
    const socket = connect(join(home, 'links', link.linkId, 'control.sock'));
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error('the daemon does not answer')));
    socket.on('connect', () => socket.write(`${JSON.stringify({ command })}\n`));
    socket.on('data', (piece) => {
      text += piece;
      if (!text.includes('\n')) return;
      socket.destroy();
      const answer = daemonResponseSchema.parse(JSON.parse(text.slice(0, text.indexOf('\n'))));
      if (answer.ok) resolve(answer.data);
      else reject(new Error(answer.message));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the daemon closed the connection')));
  });
}
