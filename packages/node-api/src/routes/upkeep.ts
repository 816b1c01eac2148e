import { Readable } from 'node:stream';
import type { Timers } from '@cairn/environment';
import { CairnError, isCairnError } from '@cairn/model';
import { NODE_PATHS, nodeCompactSchema, nodeScrubSchema } from '@cairn/protocol';
import { type NodeRoute, readBody } from './node-route.ts';

const MAX_REQUEST_BYTES = 4096;
const SIGN_OF_LIFE_MS = 2_000;

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new CairnError('bad-request', 'the request is not JSON', { cause: error });
  }
}

/** Blanks while the work goes on, so that whoever waits sees that somebody is there; then the result as JSON. */
async function* tellWhile(work: Promise<unknown>, timers: Timers): AsyncGenerator<string> {
  let result: unknown = null;
  const done = work.then(
    (report) => {
      result = { report };
      return true;
    },
    (error: unknown) => {
      const code = isCairnError(error) ? error.code : 'internal';
      result = { problem: { code, detail: error instanceof Error ? error.message : String(error) } };
      return true;
    },
  );
  for (;;) {
    let cancel: () => void = () => undefined;
    const tick = new Promise<false>((resolve) => {
      cancel = timers.schedule(SIGN_OF_LIFE_MS, () => resolve(false));
    });
    const isDone = await Promise.race([done, tick]);
    cancel();
    if (isDone) break;
    yield ' ';
  }
  yield JSON.stringify(result);
}

/** POST /node/v1/compact and /node/v1/scrub: long work, which stops when whoever asked goes away. */
export const upkeepRoutes: NodeRoute = (app, { blocks, environment }) => {
  function begin(kind: 'compact' | 'scrub', body: unknown, signal: AbortSignal): Promise<unknown> {
    const compact = kind === 'compact' ? nodeCompactSchema.safeParse(body) : null;
    if (compact?.success === true) return blocks.compact({ ...compact.data, signal });
    const scrub = kind === 'scrub' ? nodeScrubSchema.safeParse(body) : null;
    if (scrub?.success === true) return blocks.scrub({ ...scrub.data, signal });
    throw new CairnError('bad-request', `what to ${kind} is not understood`);
  }

  for (const kind of ['compact', 'scrub'] as const) {
    app.post(NODE_PATHS[kind], async (request, reply) => {
      const body = parse(await readBody(request, MAX_REQUEST_BYTES));
      const gone = new AbortController();
      reply.raw.on('close', () => gone.abort(new Error('nobody waits for it any more')));
      const work = begin(kind, body, gone.signal);
      return reply.type('application/json').send(Readable.from(tellWhile(work, environment.timers)));
    });
  }
};
