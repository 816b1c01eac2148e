import type { RegisterCommand } from '../register-command.ts';

/** demo */
export const registerDemo: RegisterCommand = (program, context, setExitCode) => {
  program
    .command('demo')
    .description('see it work: a server and two devices in a temporary folder, in under a minute')
    .option('--fast', 'without pauses for reading, and with smaller amounts')
    .option('--keep', 'leave everything running at the end until Ctrl-C, and keep the files')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn demo\n  cairn demo --keep\n\nEnds with status 1 if the two folders differ at the end.',
    )
    .action(async (options: { fast?: boolean; keep?: boolean }) => {
      const { runDemo } = await import('../demo/run-demo.ts');
      setExitCode(await runDemo(context, { isFast: options.fast === true, keep: options.keep === true }));
    });
};
