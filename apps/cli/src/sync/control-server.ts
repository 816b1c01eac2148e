import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { CairnError } from '@cairn/model';
import { type DaemonRequest, type DaemonResponse, daemonRequestSchema } from '@cairn/protocol';
import { readLines } from './read-lines.ts';

/**
 * Answers control requests on a Unix socket. Call only with the folder's lock held: a socket file that is there
 * is then a dead process's and is replaced.
 */
export async function startControlServer(
  path: string,
  answer: (request: DaemonRequest) => unknown | Promise<unknown>,
): Promise<{ close(): Promise<void> }> {
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    readLines(socket, (line) => {
      void respond(line).then((response) => {
        if (!socket.destroyed) socket.write(`${JSON.stringify(response)}\n`);
      });
    });
  });

  async function respond(line: string): Promise<DaemonResponse> {
    try {
      return { ok: true, data: await answer(daemonRequestSchema.parse(JSON.parse(line))) };
    } catch (error) {
      if (error instanceof CairnError) return { ok: false, code: error.code, message: error.message };
      return {
        ok: false,
        code: 'bad-request',
        message: 'the daemon does not know this request; is it of another version?',
      };
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.end();
        setTimeout(() => {
          for (const socket of open) socket.destroy();
        }, 500).unref();
      }),
  };
}
