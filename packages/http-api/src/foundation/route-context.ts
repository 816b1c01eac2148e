import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReadMemory } from '@cairn/services';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { HttpApiOptions } from '../http-api-options.ts';
import type { Gate } from './gate.ts';
import type { HintBoard } from './hint-board.ts';
import type { PackBuffers } from './pack-buffers.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What routes work with. */
export interface RouteContext extends HttpApiOptions {
  readonly hints: HintBoard;
  readonly packGate: Gate;
  /** For packs that are small by what their requests state: many devices' saves at once share a flush. */
  readonly smallPackGate: Gate;
  readonly packBuffers: PackBuffers;
  /** For what signs blocks and makes deltas: that takes time and several blocks of memory each. */
  readonly deltaGate: Gate;
  /** What downloads are read into. */
  readonly readBuffers: ReadMemory;
  /** Aborted when the server begins to stop: what waits comes back at once. */
  readonly stopping: AbortSignal;
}

/** Adds one route (or one route and its HEAD form) to the app. */
export type Route = (app: App, context: RouteContext) => void;
