import { describeConfig, loadConfig, type ServerFlags } from './config.ts';
import { isLoopbackHost } from './loopback.ts';
import { createServerLog } from './server-log.ts';
import { type RunningServer, startServer } from './start-server.ts';

export interface RunServerFlags extends ServerFlags {
  /** Print the effective configuration instead of starting. */
  readonly printConfig?: boolean | undefined;
  /** Take the place of the blocks that is configured, whatever the database says. */
  readonly blocksAreHere?: boolean | undefined;
}

export interface RunServerSurroundings {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** For what a person is to read. */
  print(text: string): void;
}

function greeting(server: RunningServer, host: string, data: string): string {
  const lines = [`Cairn is running at ${server.url}`, `Its data is in ${data}`, ''];
  if (server.hasAccounts) {
    lines.push(`Sign in:  cairn login --server ${server.url} --username NAME`);
  } else {
    lines.push('Make the first account; it is the administrator:');
    lines.push(`  cairn signup --server ${server.url} --username NAME`);
    if (server.setUpCode !== null) lines.push(`It needs this one-time set-up code:  ${server.setUpCode}`);
  }
  if (!isLoopbackHost(host)) {
    lines.push('', 'Others on the network can reach it. Put a proxy with HTTPS in front of it.');
    if (server.signUp === 'open')
      lines.push('Anybody who can reach it can make an account (CAIRN_SIGNUP=open).');
  }
  lines.push('', 'Stop it with Ctrl-C.', '');
  return lines.join('\n');
}

/** Resolves with the first signal to stop; a second one ends the process at once. */
function stopSignal(): { readonly asked: Promise<void>; forget(): void } {
  let count = 0;
  let resolveAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    resolveAsked = resolve;
  });
  const onSignal = () => {
    if (++count > 1) process.exit(1);
    resolveAsked();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    asked,
    forget() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/**
 * `cairn serve`: starts the server, tells what to do next, and resolves when a signal has stopped it.
 * @throws CairnError as {@link startServer} and `usage` for a wrong configuration
 */
export async function runServer(flags: RunServerFlags, surroundings: RunServerSurroundings): Promise<void> {
  const loaded = loadConfig(flags, surroundings.variables, surroundings.cwd);
  if (flags.printConfig === true) {
    surroundings.print(describeConfig(loaded));
    return;
  }
  const { config } = loaded;
  const signal = stopSignal();
  try {
    const server = await startServer({
      ...config,
      blocksAreHere: flags.blocksAreHere ?? false,
      log: createServerLog(config.logLevel),
    });
    surroundings.print(greeting(server, config.host, config.data));
    await signal.asked;
    surroundings.print('Stopping…\n');
    await server.stop();
  } finally {
    signal.forget();
  }
}
