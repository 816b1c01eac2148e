import type { UsageResponse } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { count, showSize } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';
import { registerAdminBlocks } from './admin-blocks.ts';
import { registerAdminDrill } from './admin-drill.ts';
import { collect } from './admin-gc.ts';
import { registerAdminNodes } from './admin-nodes.ts';
import { verify } from './admin-verify.ts';
import { registerAdminRetention } from './retention.ts';

/** admin gc, admin usage, admin verify, admin retention, admin nodes, admin blocks, admin drill */
export const registerAdmin: RegisterCommand = (program, context, setExitCode) => {
  const admin = program
    .command('admin')
    .description('look after the server (administrators only)')
    .addHelpText('after', '\nExamples:\n  cairn admin usage\n  cairn admin gc --dry-run');
  admin
    .command('gc')
    .description('clean up now: old trash, old versions, and stored blocks that nothing needs')
    .option('--dry-run', 'only tell what would be done')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe server does this once a day by itself.\n\nExample:\n  cairn admin gc --dry-run',
    )
    .action(async (options: { dryRun?: boolean; json?: boolean }) =>
      setExitCode(await collect(context, options)),
    );
  admin
    .command('usage')
    .description('tell what is stored, and what could be set free')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn admin usage')
    .action((options: { json?: boolean }) => usage(context, options.json === true));
  admin
    .command('verify')
    .description('check that every version of every file can be read; changes nothing')
    .option('--quick', 'only ask whether everything is there, and read nothing')
    .option('--replicas', 'also read every replica on every storage node')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe exit status is 1 when anything cannot be read.\n\nExample:\n  cairn admin verify',
    )
    .action(async (options: { quick?: boolean; replicas?: boolean; json?: boolean }) =>
      setExitCode(await verify(context, options)),
    );
  registerAdminRetention(admin, context);
  registerAdminNodes(admin, context);
  registerAdminDrill(admin, context, setExitCode);
  registerAdminBlocks(admin, context, setExitCode);
};

async function usage(context: CliContext, json: boolean): Promise<void> {
  await withClient(context, async (client) => {
    const answer = await client.admin.usage(context.signal);
    if (json) printJson(context, answer);
    else print(context, ...describeUsage(answer));
  });
}

function describeUsage(usage: UsageResponse): string[] {
  const { live, versions, trash, stored, savedBytes, trashFreesBytes, blockStore, garbage } = usage;
  const rows = [
    ['files', showSize(live.bytes), count(live.files, 'file')],
    ['old versions', showSize(versions.bytes), count(versions.versions, 'version')],
    ['trash', showSize(trash.bytes), count(trash.files, 'file')],
    ['stored for these', showSize(stored.bytes), count(stored.blocks, 'block')],
    ['on disk', showSize(blockStore.diskBytes), 'with what was deleted and not yet written over'],
    ['on its way out', showSize(garbage.storedBytes), count(garbage.blocks, 'block')],
  ];
  const saved =
    savedBytes > 0
      ? `Storing equal content once, and compressing it, saves ${showSize(savedBytes)}.`
      : 'Storing equal content once saves nothing here.';
  const columns = [{ title: 'WHAT' }, { title: 'SIZE', align: 'right' as const }, { title: 'HOW MANY' }];
  const lines = [...formatTable(columns, rows), '', saved];
  if (trash.files > 0) lines.push(`Emptying all trash would set ${showSize(trashFreesBytes)} free.`);
  return lines;
}
