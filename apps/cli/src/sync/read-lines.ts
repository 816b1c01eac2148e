import type { Socket } from 'node:net';
import { MAX_DAEMON_LINE_BYTES } from '@cairn/protocol';

/** Calls `onLine` for every line of UTF-8 that arrives; a line over the limit ends the connection. */
export function readLines(socket: Socket, onLine: (line: string) => void): void {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  socket.on('data', (bytes: Buffer) => {
    let rest = bytes;
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...pending, rest.subarray(0, end)]).toString('utf8');
      pending = [];
      pendingBytes = 0;
      rest = rest.subarray(end + 1);
      onLine(line);
    }
    pending.push(rest);
    pendingBytes += rest.length;
    if (pendingBytes > MAX_DAEMON_LINE_BYTES) socket.destroy();
  });
}
