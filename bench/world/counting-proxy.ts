import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createFlowLimit } from './flow-limit.ts';

export interface WireBytes {
  /** Bytes of TCP payload from the device to the server. */
  readonly up: number;
  readonly down: number;
}

export interface CountingProxy {
  readonly port: number;
  bytes(): WireBytes;
  close(): Promise<void>;
}

/**
 * Passes connections on to a port of this machine and counts what goes over them, in each direction.
 * @param bytesPerSecond of all connections together, in each direction; `null`: as fast as it goes
 */
export async function startCountingProxy(
  targetPort: number,
  bytesPerSecond: number | null = null,
): Promise<CountingProxy> {
  const limits = { up: createFlowLimit(bytesPerSecond), down: createFlowLimit(bytesPerSecond) };
  const open = new Map<Socket, Socket>();
  let up = 0;
  let down = 0;
  const server = createServer((device) => {
    const upstream = connect({ port: targetPort, host: '127.0.0.1' });
    open.set(device, upstream);
    device.setNoDelay(true);
    upstream.setNoDelay(true);
    if (bytesPerSecond === null) {
      device.pipe(upstream);
      upstream.pipe(device);
    } else {
      device.pipe(limits.up.createPassage()).pipe(upstream);
      upstream.pipe(limits.down.createPassage()).pipe(device);
    }
    let ended = false;
    const end = () => {
      device.destroy();
      upstream.destroy();
      if (ended) return;
      ended = true;
      open.delete(device);
      up += device.bytesRead;
      down += upstream.bytesRead;
    };
    // A connection that breaks on one side is broken off on the other: the peers are what is tested.
    for (const socket of [device, upstream]) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    bytes() {
      let liveUp = 0;
      let liveDown = 0;
      for (const [device, upstream] of open) {
        liveUp += device.bytesRead;
        liveDown += upstream.bytesRead;
      }
      return { up: up + liveUp, down: down + liveDown };
    },
    async close() {
      server.close();
      for (const [device, upstream] of open) {
        device.destroy();
        upstream.destroy();
      }
      await once(server, 'close');
    },
  };
}

/** A port that was free a moment ago, for programs that must be found again after they were killed. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
