import type { Client } from '@cairn/client';
import type { CliContext } from './context.ts';
import type { ConnectOptions } from './open-client.ts';

/** A client for who is signed in; close it. The modules behind it load only now, so that help is quick. */
export async function connect(context: CliContext, options: ConnectOptions = {}): Promise<Client> {
  const { openClient } = await import('./open-client.ts');
  return openClient(context, options);
}

/** Runs `work` with a client and closes it, whatever happens. */
export async function withClient<Result>(
  context: CliContext,
  work: (client: Client) => Promise<Result>,
  options: ConnectOptions = {},
): Promise<Result> {
  const client = await connect(context, options);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
