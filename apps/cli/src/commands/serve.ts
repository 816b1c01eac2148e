import type { RegisterCommand } from '../register-command.ts';
import type { ServeFlags } from '../serve.ts';

/** serve */
export const registerServe: RegisterCommand = (program, context) => {
  program
    .command('serve')
    .description('run a server: API and storage in one process')
    .option('--data <folder>', 'where everything is kept (or CAIRN_DATA; default ./cairn-data)')
    .option('--host <host>', 'address to listen on (or CAIRN_HOST; default 127.0.0.1)')
    .option('--port <port>', 'port to listen on (or CAIRN_PORT; default 8000)')
    .option('--config <file>', 'JSON file with settings (default: cairn.json in the data folder)')
    .option('--blocks-are-here', 'contents are where CAIRN_BLOCKS says, whatever the database says (once)')
    .option('--print-config', 'show the effective settings and where each came from, then stop')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn serve\n  cairn serve --data /srv/cairn --host 0.0.0.0 --port 8080',
    )
    .action(async (options: ServeFlags) => {
      const { serve } = await import('../serve.ts');
      await serve(context, options);
    });
};
