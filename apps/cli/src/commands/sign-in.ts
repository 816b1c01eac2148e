import { CairnError } from '@cairn/model';
import { connect, withClient } from '../connect.ts';
import { type CliContext, paint, print, printJson, remark } from '../context.ts';
import { showName } from '../output/text.ts';
import { readPassword } from '../password.ts';
import type { RegisterCommand } from '../register-command.ts';
import { deviceName } from '../settings.ts';

interface SignInOptions {
  readonly server?: string;
  readonly username?: string;
  readonly passwordStdin?: boolean;
  readonly device?: string;
  readonly setUpCode?: string;
  readonly json?: boolean;
}

const DEFAULT_SERVER_HINT = 'server address, such as https://cairn.example.org (or CAIRN_SERVER)';

/** signup, login, logout, whoami */
export const registerSignIn: RegisterCommand = (program, context) => {
  program
    .command('signup')
    .description('make an account on a server and sign this device in')
    .option('-s, --server <url>', DEFAULT_SERVER_HINT)
    .option('-u, --username <name>', 'name of the new account')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option(
      '--set-up-code <code>',
      "the server's one-time set-up code, for the first account (or CAIRN_SETUP_CODE)",
    )
    .option('--device <name>', 'display name of this device (or CAIRN_DEVICE)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn signup --server http://127.0.0.1:8000 --username ann')
    .action((options: SignInOptions) => signIn(context, options, true));

  program
    .command('login')
    .description('sign this device in to an account')
    .option('-s, --server <url>', DEFAULT_SERVER_HINT)
    .option('-u, --username <name>', 'name of the account')
    .option('--password-stdin', 'read the password from the first line of standard input')
    .option('--device <name>', 'display name of this device (or CAIRN_DEVICE)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn login --server https://cairn.example.org --username ann')
    .action((options: SignInOptions) => signIn(context, options, false));

  program
    .command('logout')
    .description('end the sign-in of this device')
    .addHelpText('after', '\nExample:\n  cairn logout')
    .action(async () => {
      await withClient(context, async (client) => {
        const { user } = await client.session();
        const { toldServer } = await client.account.logout();
        print(context, `Signed ${showName(user.username)} out of ${client.serverUrl}.`);
        if (!toldServer) {
          remark(
            context,
            'cairn: the server could not be reached, so it still lists this device. ' +
              'Revoke it there from another device with "cairn devices revoke".',
          );
        }
      });
    });

  program
    .command('whoami')
    .description('show the account, device and server of this sign-in')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn whoami --json')
    .action(async (options: { json?: boolean }) => {
      await withClient(context, async (client) => {
        const me = await client.account.me(context.signal);
        if (options.json === true) {
          printJson(context, { ...me, serverUrl: client.serverUrl });
          return;
        }
        const { user, device, server } = me;
        print(
          context,
          `${paint(context, 'bold', showName(user.username))} (${user.role}) on ${client.serverUrl}`,
          `Device   ${showName(device.name)}  ${paint(context, 'dim', device.deviceId)}`,
          `Server   Cairn ${showName(server.version)}, protocol ${server.protocol}`,
        );
      });
    });
};

async function signIn(context: CliContext, options: SignInOptions, isNew: boolean): Promise<void> {
  const server = options.server ?? context.variables['CAIRN_SERVER'];
  const username = options.username;
  if (username === undefined || username === '') {
    throw new CairnError(
      'usage',
      `which account? Add --username, as in "cairn ${isNew ? 'signup' : 'login'} --username ann"`,
    );
  }
  if (!server && isNew) {
    throw new CairnError(
      'usage',
      'which server? Add --server, as in "cairn signup --server http://127.0.0.1:8000", or set CAIRN_SERVER',
    );
  }
  const client = await connect(context, { server: server || undefined });
  try {
    // Before a password is asked for or sent: is this a Cairn server at all?
    const { setUpNeeded, signUp } = await client.account.server(context.signal);
    const setUpCode = options.setUpCode ?? (context.variables['CAIRN_SETUP_CODE'] || undefined);
    if (isNew && setUpNeeded && signUp === 'invite' && setUpCode === undefined) {
      throw new CairnError(
        'set-up-code-wrong',
        'this is the first account of the server, which needs the set-up code that the server printed at its start. Add --set-up-code CODE',
      );
    }
    const password = await readPassword(context, { passwordStdin: options.passwordStdin, confirm: isNew });
    const credentials = { username, password, deviceName: options.device ?? deviceName(context) };
    const { user, device } = isNew
      ? await client.account.register({ ...credentials, ...(setUpCode === undefined ? {} : { setUpCode }) })
      : await client.account.login(credentials);
    if (options.json === true) {
      printJson(context, { serverUrl: client.serverUrl, user, device });
      return;
    }
    const role = user.role === 'administrator' ? ', the administrator' : '';
    print(
      context,
      `${isNew ? 'Welcome' : 'Signed in'}, ${paint(context, 'bold', showName(user.username))}${role}. ` +
        `This device is "${showName(device.name)}" on ${client.serverUrl}.`,
    );
  } finally {
    client.close();
  }
}
