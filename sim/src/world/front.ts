import type { Environment } from '@cairn/environment';
import type { EventBus } from '@cairn/event-bus';
import { createHttpApi, createMetrics, DEFAULT_LIMITS } from '@cairn/http-api';
import type { AccessServices, DataServices } from '@cairn/services';

/** What the HTTP surface stands on for the moment. */
export interface FrontServices {
  readonly data: DataServices;
  readonly access: AccessServices;
  readonly environment: Environment;
}

export interface FrontAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

export interface FrontRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
}

type App = Awaited<ReturnType<typeof createHttpApi>>;

let current: FrontServices | null = null;
let app: Promise<App> | null = null;

const SILENT_BUS: EventBus = {
  publish: () => undefined,
  subscribe: () => () => undefined,
  close: async () => undefined,
};

const NO_MAINTENANCE = (): never => {
  throw new Error('nobody cleans up in these worlds');
};

/**
 * The real HTTP surface without a socket. Making one costs as much as a whole small run, so all worlds of this
 * process share one, each in its turn; it keeps nothing of them but counters.
 */
export async function ask(services: FrontServices, request: FrontRequest): Promise<FrontAnswer> {
  current = services;
  app ??= createApp();
  const response = await (await app).inject({
    method: request.method,
    url: request.path,
    headers: { ...request.headers, host: 'cairn.invalid' },
    ...(request.body === null ? {} : { payload: Buffer.from(request.body) }),
  });
  return {
    status: response.statusCode,
    headers: response.headers as Record<string, string | undefined>,
    body: response.rawPayload,
  };
}

function services(): FrontServices {
  if (current === null) throw new Error('no world asks');
  return current;
}

function createApp(): Promise<App> {
  const at = (): Environment => services().environment;
  // Whoever takes a part of it once must not keep the first world's.
  const environment: Environment = {
    clock: { now: () => at().clock.now(), monotonicMs: () => at().clock.monotonicMs() },
    timers: {
      schedule: (durationMs, callback) => at().timers.schedule(durationMs, callback),
      sleep: (durationMs, signal) => at().timers.sleep(durationMs, signal),
    },
    random: { bytes: (count) => at().random.bytes(count), fraction: () => at().random.fraction() },
    log: {
      debug: (event, fields) => at().log.debug(event, fields),
      info: (event, fields) => at().log.info(event, fields),
      warn: (event, fields) => at().log.warn(event, fields),
      error: (event, fields) => at().log.error(event, fields),
      with: (fields) => at().log.with(fields),
    },
  };
  return createHttpApi({
    data: delegate(() => services().data),
    access: delegate(() => services().access),
    maintenance: { collect: NO_MAINTENANCE, usage: NO_MAINTENANCE, capacity: NO_MAINTENANCE },
    collection: { begin: NO_MAINTENANCE, state: NO_MAINTENANCE },
    verification: { begin: NO_MAINTENANCE, state: NO_MAINTENANCE },
    retention: {
      ofSpace: NO_MAINTENANCE,
      setOfSpace: NO_MAINTENANCE,
      previewOfSpace: NO_MAINTENANCE,
      ofServer: NO_MAINTENANCE,
      setOfServer: NO_MAINTENANCE,
      previewOfServer: NO_MAINTENANCE,
    },
    blockMove: { state: NO_MAINTENANCE, begin: NO_MAINTENANCE, cancel: NO_MAINTENANCE },
    cluster: {
      invite: NO_MAINTENANCE,
      describe: NO_MAINTENANCE,
      change: NO_MAINTENANCE,
      remove: NO_MAINTENANCE,
      join: NO_MAINTENANCE,
      announce: NO_MAINTENANCE,
    },
    drills: {
      beginFault: NO_MAINTENANCE,
      endFault: NO_MAINTENANCE,
      damageCanary: NO_MAINTENANCE,
      inspectCanary: NO_MAINTENANCE,
      record: NO_MAINTENANCE,
      list: NO_MAINTENANCE,
      latest: NO_MAINTENANCE,
      stop: NO_MAINTENANCE,
    },
    bus: SILENT_BUS,
    environment,
    config: {
      version: 'simulated',
      trustedProxies: [],
      webApp: null,
      limits: { ...DEFAULT_LIMITS, deviceRequests: 1e9, anonymousRequests: 1e9, signInRequests: 1e9 },
    },
    readiness: [],
    metrics: createMetrics({ process: false }),
  });
}

/** An object of objects of functions whose every call goes to the one of that moment. */
function delegate<Nouns extends object>(target: () => Nouns): Nouns {
  return new Proxy({} as Nouns, {
    get: (_nouns, noun) =>
      new Proxy(
        {},
        {
          get:
            (_calls, name) =>
            (...given: unknown[]) => {
              const calls = target()[noun as keyof Nouns] as Record<
                PropertyKey,
                (...all: unknown[]) => unknown
              >;
              return calls[name]?.(...given);
            },
        },
      ),
  });
}
