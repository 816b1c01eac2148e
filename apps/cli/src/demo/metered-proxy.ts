import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A stretch of network between one device and the server that can be measured, slowed down and cut. */
export interface MeteredProxy {
  readonly url: string;
  /** Port of the server behind it; may change while it runs. */
  targetPort: number;
  /** Most bytes a second in each direction and connection; `null`: as fast as it goes. */
  bytesPerSecond: number | null;
  /** Answers WebSocket handshakes with an error, as some companies' proxies do. */
  refusesWebSockets: boolean;
  /** Bytes since the start, or since `resetMeter`. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  resetMeter(): void;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Lets connections through again. */
  mend(): void;
  close(): Promise<void>;
}

const REFUSAL = 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n';

/** Listens on a free loopback port and passes everything on to `targetPort`. */
export async function startMeteredProxy(targetPort: number): Promise<MeteredProxy> {
  const open = new Set<Socket>();
  let isCut = false;
  let sentBytes = 0;
  let receivedBytes = 0;

  function track(socket: Socket): Socket {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // 'close' follows and ends the other side too.
    socket.on('error', () => socket.destroy());
    return socket;
  }

  const server = createServer((near) => {
    track(near);
    if (isCut) {
      near.resetAndDestroy();
      return;
    }
    const far = track(connect(proxy.targetPort, '127.0.0.1'));
    near.setNoDelay(true);
    far.setNoDelay(true);
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
    near.on('data', (piece: Buffer) => {
      if (proxy.refusesWebSockets && /\r\nupgrade: *websocket/i.test(piece.toString('latin1'))) {
        near.end(REFUSAL);
        return;
      }
      sentBytes += piece.length;
      pass(piece, near, far);
    });
    far.on('data', (piece: Buffer) => {
      receivedBytes += piece.length;
      pass(piece, far, near);
    });
    near.on('end', () => far.end());
    far.on('end', () => near.end());
  });

  function pass(piece: Buffer, from: Socket, to: Socket): void {
    if (to.destroyed) return;
    const isRoomy = to.write(piece);
    if (proxy.bytesPerSecond !== null) {
      from.pause();
      setTimeout(() => from.resume(), (piece.length / proxy.bytesPerSecond) * 1000);
    } else if (!isRoomy) {
      from.pause();
      to.once('drain', () => from.resume());
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const proxy: MeteredProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    targetPort,
    bytesPerSecond: null,
    refusesWebSockets: false,
    get sentBytes() {
      return sentBytes;
    },
    get receivedBytes() {
      return receivedBytes;
    },
    resetMeter() {
      sentBytes = 0;
      receivedBytes = 0;
    },
    cut() {
      isCut = true;
      for (const socket of open) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
  return proxy;
}
