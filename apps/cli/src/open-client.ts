import {
  type Client,
  createClient,
  createFileSessionStore,
  createNodeTransport,
  isExposed,
  parseServerUrl,
} from '@cairn/client';
import { createNodePlatform, useHashThreads } from '@cairn/content';
import { createSystemEnvironment } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import { type CliContext, remark } from './context.ts';
import { allowsHttp, homeFolder } from './settings.ts';

export interface ConnectOptions {
  /** `--server` */
  readonly server?: string | undefined;
  /** See ClientOptions.maxAttempts. */
  readonly maxAttempts?: number;
}

/**
 * A client for the server of the flag, of CAIRN_SERVER, or of the stored sign-in, in this order. Close it.
 * @throws CairnError `usage` or `not-signed-in`
 */
export async function openClient(context: CliContext, options: ConnectOptions): Promise<Client> {
  const store = createFileSessionStore(homeFolder(context));
  const named = options.server ?? (context.variables['CAIRN_SERVER'] || undefined);
  const serverUrl = named === undefined ? (await store.read())?.serverUrl : parseServerUrl(named);
  if (serverUrl === undefined) {
    throw new CairnError(
      'not-signed-in',
      'you are not signed in. Use "cairn login --server URL" (or "cairn signup" for a new account)',
    );
  }
  const allowHttp = allowsHttp(context);
  if (allowHttp && isExposed(serverUrl)) {
    remark(
      context,
      `cairn: warning: ${serverUrl} is not encrypted; others on the network can read what you send`,
    );
  }
  return createClient({
    transport: createNodeTransport({ serverUrl }),
    store,
    environment: createSystemEnvironment(),
    platform: createNodePlatform(useHashThreads()),
    allowHttp,
    ...(options.maxAttempts === undefined ? {} : { maxAttempts: options.maxAttempts }),
  });
}
