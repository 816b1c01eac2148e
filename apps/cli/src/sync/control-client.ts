import { connect } from 'node:net';
import { CairnError, ERROR_CODES, type ErrorCode } from '@cairn/model';
import { type DaemonRequest, daemonResponseSchema } from '@cairn/protocol';
import { readLines } from './read-lines.ts';

const TIMEOUT_MS = 10_000;
/** No socket, nobody behind it, or a daemon that ended while we asked. */
const GONE = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Asks a running daemon one thing.
 * @throws CairnError `not-running` when nobody listens, or what the daemon answers
 */
export async function askDaemon<Answer>(socketPath: string, request: DaemonRequest): Promise<Answer> {
  const line = await new Promise<string>((resolve, reject) => {
    const socket = connect(socketPath);
    const fail = (error: unknown) => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(TIMEOUT_MS, () =>
      fail(
        new CairnError(
          'unavailable',
          'the sync daemon does not answer; see its log, or end it with "cairn sync stop"',
        ),
      ),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const gone = GONE.has(error.code ?? '');
      fail(
        gone
          ? notRunning(error)
          : new CairnError('local-io', `cannot reach the sync daemon: ${error.message}`, { cause: error }),
      );
    });
    socket.on('close', () => reject(notRunning()));
    readLines(socket, (text) => {
      resolve(text);
      socket.end();
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
  const response = daemonResponseSchema.parse(JSON.parse(line));
  if (response.ok) return response.data as Answer;
  const code: ErrorCode = response.code in ERROR_CODES ? (response.code as ErrorCode) : 'internal';
  throw new CairnError(code, response.message);
}

function notRunning(cause?: unknown): CairnError {
  return new CairnError(
    'not-running',
    'this folder is not being synced now. Start it with "cairn sync start"',
    { cause },
  );
}
