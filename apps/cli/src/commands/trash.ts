import type { Client } from '@cairn/client';
import { CairnError } from '@cairn/model';
import type { TrashResponse } from '@cairn/protocol';
import { askToGoOn } from '../ask-to-go-on.ts';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { count, showInstant, showName } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';
import { serverPath } from '../server-paths.ts';

type TrashItem = TrashResponse['items'][number];

/** trash list, trash restore, trash empty */
export const registerTrash: RegisterCommand = (program, context) => {
  const trash = program
    .command('trash')
    .description('see, restore or finally delete what was deleted')
    .addHelpText('after', '\nExamples:\n  cairn trash list\n  cairn trash restore /old/report.txt');
  trash
    .command('list', { isDefault: true })
    .alias('ls')
    .description('list the trash, newest first')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn trash list')
    .action((options: { json?: boolean }) => list(context, options.json === true));
  trash
    .command('restore')
    .description('bring something back, with everything that was below it')
    .argument('<item>', 'its former path (the newest of that path), or its id')
    .option('--to <path>', 'another place than where it was')
    .addHelpText('after', '\nExample:\n  cairn trash restore /old/report.txt --to /report.txt')
    .action((item: string, options: { to?: string }) => restore(context, item, options.to));
  trash
    .command('empty')
    .description('delete everything in the trash for good, or one item of it')
    .argument('[item]', 'its former path (the newest of that path), or its id')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn trash empty')
    .action((item: string | undefined, options: { yes?: boolean; json?: boolean }) =>
      empty(context, item, options),
    );
};

async function list(context: CliContext, json: boolean): Promise<void> {
  await withClient(context, async (client) => {
    const items: TrashItem[] = [];
    for await (const item of client.files.trash(context.signal)) items.push(item);
    if (json) {
      printJson(context, { items });
      return;
    }
    if (items.length === 0) {
      remark(context, 'The trash is empty.');
      return;
    }
    const rows = items.map((item) => [item.entryId, showInstant(item.trashedAt), showName(item.path)]);
    print(context, ...formatTable([{ title: 'ID' }, { title: 'DELETED' }, { title: 'WAS AT' }], rows));
  });
}

async function restore(context: CliContext, wanted: string, to: string | undefined): Promise<void> {
  await withClient(context, async (client) => {
    const item = await findItem(client, wanted, context.signal);
    const restored = await client.files.restore(item.entryId, to === undefined ? undefined : serverPath(to));
    print(context, `Restored ${showName(restored.path)}.`);
  });
}

async function empty(
  context: CliContext,
  wanted: string | undefined,
  options: { readonly yes?: boolean; readonly json?: boolean },
): Promise<void> {
  await withClient(context, async (client) => {
    const item = wanted === undefined ? null : await findItem(client, wanted, context.signal);
    if (options.yes !== true) {
      const what = item === null ? 'everything in the trash' : showName(item.path);
      await askToGoOn(context, `Delete ${what} for good? Nobody can bring it back.`, {
        what: 'this deletes for good',
        undone: 'nothing was deleted',
      });
    }
    if (item !== null) {
      await client.files.purge(item.entryId);
      if (options.json === true) printJson(context, { items: 1 });
      else print(context, `Deleted ${showName(item.path)} for good.`);
      return;
    }
    const done = await client.files.emptyTrash(context.signal);
    if (options.json === true) printJson(context, done);
    else if (done.items === 0) remark(context, 'The trash is empty.');
    else print(context, `Deleted ${count(done.items, 'item')} for good. The server frees their space later.`);
  });
}

async function findItem(client: Client, wanted: string, signal: AbortSignal): Promise<TrashItem> {
  for await (const item of client.files.trash(signal)) {
    if (item.entryId === wanted || item.path === wanted || item.path === `/${wanted}`) return item;
  }
  throw new CairnError('not-found', `the trash has no ${showName(wanted)}. See "cairn trash list"`);
}
