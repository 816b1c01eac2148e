import diagnostics from 'node:diagnostics_channel';
import fs from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';
import { isMainThread } from 'node:worker_threads';
import { monotonicMs, openMarks } from './marks.ts';

/**
 * Loaded into a process by `--import …/trace-process.ts?folder=DIR`: notes when it hears of events, lists folders, asks and
 * answers over HTTP, and waits for the disk. It changes the runtime's functions, so that the product needs no hooks.
 */
const folder = new URL(import.meta.url).searchParams.get('folder');
if (folder === null) throw new Error('trace-process.ts needs ?folder=');
const thread = isMainThread ? '' : 'worker ';
const mark = openMarks(folder);

type Call = (...words: unknown[]) => unknown;

/** A call that is over when it returns. */
function traceCall(owner: object, name: string, label: (words: unknown[]) => string | null): void {
  const functions = owner as Record<string, Call>;
  const original = functions[name] as Call;
  functions[name] = function (this: unknown, ...words) {
    const startMs = monotonicMs();
    try {
      return original.apply(this, words);
    } finally {
      const said = label(words);
      if (said !== null) mark(thread + said, startMs, monotonicMs());
    }
  };
}

/** A call that is over when its last argument is called. */
function traceCallback(name: string): void {
  const functions = fs as unknown as Record<string, Call>;
  const original = functions[name] as Call;
  functions[name] = (...words) => {
    const startMs = monotonicMs();
    const callback = words.pop() as Call;
    return original(...words, (...answer: unknown[]) => {
      mark(thread + name, startMs, monotonicMs());
      callback(...answer);
    });
  };
}

function traceFiles(): void {
  for (const name of ['fsync', 'fdatasync']) traceCallback(name);
  for (const name of ['fsyncSync', 'fdatasyncSync', 'renameSync', 'linkSync', 'readdirSync'])
    traceCall(fs, name, () => name);
  const functions = fs as unknown as Record<string, Call>;
  const watch = functions['watch'] as Call;
  functions['watch'] = (...words) => {
    const listener = words.at(-1) as Call;
    return watch(...words.slice(0, -1), (...event: unknown[]) => {
      mark('watch event', monotonicMs());
      listener(...event);
    });
  };
  syncBuiltinESMExports();
}

function traceDatabases(): void {
  traceCall(DatabaseSync.prototype, 'exec', ([sql]) =>
    String(sql).includes('COMMIT') ? 'database commit' : null,
  );
}

interface Request {
  readonly method: string;
  readonly path: string;
}

function traceRequests(): void {
  const starts = new WeakMap<object, number>();
  diagnostics.subscribe('http.client.request.start', (message) => {
    starts.set((message as { request: object }).request, monotonicMs());
  });
  diagnostics.subscribe('http.client.response.finish', (message) => {
    const { request } = message as { request: Request };
    mark(`asks ${describe(request.method, request.path)}`, starts.get(request) ?? Number.NaN, monotonicMs());
  });
  diagnostics.subscribe('http.server.request.start', (message) => {
    starts.set((message as { response: ServerResponse }).response, monotonicMs());
  });
  diagnostics.subscribe('http.server.response.finish', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const { method = '', url = '' } = request;
    mark(`answers ${describe(method, url)}`, starts.get(response) ?? Number.NaN, monotonicMs());
  });
}

/** The path without ids and query. */
function describe(method: string, path: string): string {
  const plain = (path.split('?')[0] ?? '').replace('/api/v1', '').replace(/\/spaces\/[^/]+/, '');
  return `${method} ${plain}`;
}

traceFiles();
if (isMainThread) {
  traceDatabases();
  traceRequests();
}
