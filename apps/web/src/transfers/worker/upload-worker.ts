import {
  createBrowserEnvironment,
  createBrowserTransport,
  createClient,
  createCookieSessionStore,
} from '@cairn/client/browser';
import { createBrowserPlatform } from '@cairn/content/browser';
import type { EntryId, SpaceId } from '@cairn/model';
import { tellAnswers } from '../../api/tell-answers.ts';
import type { FromWorker, ToWorker } from '../upload-types.ts';
import { createUploadEngine, type UploadEngine } from './upload-engine.ts';

/** A short outage is bridged by trying again; a longer one is told, and the engine goes on after it. */
const MAX_ATTEMPTS = 4;

/** The part of a worker's global scope that is needed here; the page's types do not have it. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToWorker>) => void): void;
}

const scope = globalThis as unknown as WorkerScope;
let engine: UploadEngine | null = null;

function start({ spaceId, rootId, deviceName }: Extract<ToWorker, { type: 'start' }>): UploadEngine {
  const environment = createBrowserEnvironment();
  const platform = createBrowserPlatform();
  const client = createClient({
    transport: tellAnswers(createBrowserTransport(), (hasAnswer) => engine?.noteAnswer(hasAnswer)),
    store: createCookieSessionStore(),
    environment,
    platform,
    cookies: true,
    maxAttempts: MAX_ATTEMPTS,
    // The page came over this very connection; who signed in on it knows.
    allowHttp: true,
  });
  return createUploadEngine({
    space: client.space({ spaceId: spaceId as SpaceId, rootId: rootId as EntryId }),
    files: client.files,
    environment,
    platform,
    deviceName,
    report: (report) => scope.postMessage(report),
  });
}

scope.addEventListener('message', ({ data }) => {
  switch (data.type) {
    case 'start':
      engine = start(data);
      return;
    case 'add':
      return engine?.add(data.jobs);
    case 'cancel':
      return engine?.cancel(data.ids);
    case 'answer':
      return engine?.answer(data.ids, data.policy);
    case 'pause':
      return engine?.pause();
    case 'resume':
      return engine?.resume();
    case 'kick':
      return engine?.kick();
  }
});
