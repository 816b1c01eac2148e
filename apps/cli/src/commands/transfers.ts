import type { RegisterCommand } from '../register-command.ts';
import type { DownloadFlags } from '../transfer/run-download.ts';
import type { UploadFlags } from '../transfer/run-upload.ts';

/** upload, download */
export const registerTransfers: RegisterCommand = (program, context, setExitCode) => {
  program
    .command('upload')
    .alias('put')
    .description('copy local files and folders to the server')
    .argument(
      '<local...>',
      'local files or folders; the last one is the destination if it starts with "/" and others come before it',
    )
    .option('--to <path>', 'destination on the server, instead of a last argument (default /)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Folders are copied with everything below them. What the server has already is not sent again, so an
interrupted upload goes on where it was when you run it again. An existing file gets a new version.

Examples:
  cairn upload report.pdf
  cairn upload photos notes.txt /backup/
  cairn upload --to /backup -- -odd-name.txt`,
    )
    .action(async (words: string[], flags: UploadFlags) => {
      const { runUpload } = await import('../transfer/run-upload.ts');
      setExitCode(await runUpload(context, words, flags));
    });

  program
    .command('download')
    .alias('get')
    .description('copy files and folders from the server')
    .argument(
      '<path...>',
      'server paths; when there are several words, the last one is the local destination',
    )
    .option('--to <local>', 'local destination, instead of a last argument (default: the current folder)')
    .option('--overwrite', 'replace local files that differ')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Folders are copied with everything below them. Local files that are equal are left alone; one that differs
is an error unless --overwrite is given. An interrupted download goes on where it was.

Examples:
  cairn download /docs/report.pdf
  cairn download /photos /notes.txt ~/restored
  cairn download --to . /a.txt /b.txt`,
    )
    .action(async (words: string[], flags: DownloadFlags) => {
      const { runDownload } = await import('../transfer/run-download.ts');
      setExitCode(await runDownload(context, words, flags));
    });
};
