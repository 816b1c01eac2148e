import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

export interface FrontProxy {
  readonly url: string;
  /** Changes what the server answered to a path; null: the path is not there. */
  rewrite: (path: string, body: Buffer, type: string) => Buffer | null;
  close(): void;
}

/** Stands between browser and server, as a newer version of the app would be served. */
export async function startFrontProxy(port: number): Promise<FrontProxy> {
  let rewrite: FrontProxy['rewrite'] = (_path, body) => body;

  function answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    // So that what is rewritten comes as it is, and whole.
    const {
      'accept-encoding': _encoding,
      'if-none-match': _tag,
      'if-modified-since': _since,
      ...headers
    } = incoming.headers;
    const { url: path = '/', method } = incoming;
    const asked = request({ host: '127.0.0.1', port, path, method, headers }, (answered) => {
      const pieces: Buffer[] = [];
      answered.on('data', (piece: Buffer) => pieces.push(piece));
      answered.on('end', () => {
        const body = rewrite(path, Buffer.concat(pieces), answered.headers['content-type'] ?? '');
        const {
          'content-length': _length,
          'transfer-encoding': _transfer,
          etag: _etag,
          ...rest
        } = answered.headers;
        if (body === null) outgoing.writeHead(404).end();
        else outgoing.writeHead(answered.statusCode ?? 502, rest).end(body);
      });
    });
    asked.on('error', () => outgoing.destroy());
    incoming.pipe(asked);
  }

  const server = createServer(answer);
  server.on('upgrade', (incoming: IncomingMessage, socket, head: Buffer) => {
    const lines = incoming.rawHeaders.reduce(
      (text, word, index) => text + word + (index % 2 === 0 ? ': ' : '\r\n'),
      '',
    );
    const other = connect(port, '127.0.0.1', () => {
      other.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines}\r\n`);
      other.write(head);
      socket.pipe(other).pipe(socket);
    });
    const end = (): void => {
      socket.destroy();
      other.destroy();
    };
    socket.on('error', end);
    other.on('error', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    set rewrite(next) {
      rewrite = next;
    },
    get rewrite() {
      return rewrite;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
