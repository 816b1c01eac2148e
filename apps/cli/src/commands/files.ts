import type { Client } from '@cairn/client';
import { CairnError, parseServerPath } from '@cairn/model';
import type { FileObject } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, paint, print, printJson, remark } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { formatTable } from '../output/table.ts';
import { showInstant, showName, showSize, showText } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';
import { findEntry, getEntry, joinServerPath, serverPath } from '../server-paths.ts';

/** list, delete, move, mkdir */
export const registerFiles: RegisterCommand = (program, context, setExitCode) => {
  program
    .command('list')
    .alias('ls')
    .description('list a folder on the server')
    .argument('[path]', 'server path', '/')
    .option('-r, --recursive', 'with everything below')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn list /photos\n  cairn list --recursive --json / | jq ".entries[].path"',
    )
    .action((path: string, options: ListOptions) => list(context, path, options));

  program
    .command('delete')
    .alias('rm')
    .description('move files or folders on the server to the trash')
    .argument('<path...>', 'server paths')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn delete /old/report.txt\n  cairn delete -- /-rf\n\nTo get them back: cairn trash list, cairn trash restore',
    )
    .action(async (paths: string[]) => {
      const failed = await remove(context, paths);
      if (failed > 0) setExitCode(failed === paths.length ? EXIT_CODES.notFound : EXIT_CODES.partial);
    });

  program
    .command('move')
    .alias('mv')
    .description('move or rename a file or folder on the server')
    .argument('<from>', 'server path')
    .argument('<to>', 'new server path, or a folder to move into')
    .addHelpText('after', '\nExamples:\n  cairn move /draft.txt /final.txt\n  cairn move /photos /archive/')
    .action((from: string, to: string) => move(context, from, to));

  program
    .command('mkdir')
    .description('make folders on the server')
    .argument('<path...>', 'server paths')
    .option('-p, --parents', 'make missing parents, and accept a folder that exists')
    .addHelpText('after', '\nExample:\n  cairn mkdir -p /projects/2026/plans')
    .action(async (paths: string[], options: { parents?: boolean }) => {
      await withClient(context, async (client) => {
        for (const path of paths) {
          const made = await client.files.mkdir(serverPath(path), { parents: options.parents === true });
          print(context, `Made ${showName(made.path)}.`);
        }
      });
    });
};

interface ListOptions {
  readonly recursive?: boolean;
  readonly json?: boolean;
}

async function list(context: CliContext, path: string, options: ListOptions): Promise<void> {
  await withClient(context, async (client) => {
    const entry = await getEntry(client, path, context.signal);
    const found: FileObject[] = [];
    if (entry.kind !== 'folder') found.push(entry);
    else
      for await (const child of walk(client, entry, options.recursive === true, context.signal))
        found.push(child);
    if (options.json === true) {
      printJson(context, { entry, entries: found });
      return;
    }
    const rows = found.map((item) => [
      item.kind === 'file' ? showSize(item.sizeBytes ?? 0) : '-',
      item.modifiedAtUs === undefined ? '-' : showInstant(item.modifiedAtUs / 1000),
      showItem(context, item, options.recursive === true),
    ]);
    if (rows.length === 0) {
      if (context.output.isTTY === true) remark(context, `${showName(entry.path)} is empty.`);
      return;
    }
    const lines = formatTable(
      [{ title: 'SIZE', align: 'right' }, { title: 'MODIFIED' }, { title: 'NAME' }],
      rows,
    );
    print(context, ...(context.output.isTTY === true ? lines : lines.slice(1)));
  });
}

function showItem(context: CliContext, item: FileObject, withPath: boolean): string {
  const name = showName(withPath ? item.path : item.name);
  if (item.kind === 'folder') return paint(context, 'blue', `${name}/`);
  if (item.kind === 'link') return `${name} -> ${showName(item.target ?? '')}`;
  return item.executable === true ? paint(context, 'green', `${name}*`) : name;
}

async function* walk(
  client: Client,
  folder: FileObject,
  recursive: boolean,
  signal: AbortSignal,
): AsyncGenerator<FileObject> {
  for await (const child of client.files.list(folder.path, signal)) {
    yield child;
    if (recursive && child.kind === 'folder') yield* walk(client, child, true, signal);
  }
}

async function remove(context: CliContext, paths: readonly string[]): Promise<number> {
  let failed = 0;
  await withClient(context, async (client) => {
    for (const path of paths) {
      context.signal.throwIfAborted();
      if (parseServerPath(path).length === 0) {
        throw new CairnError('usage', 'the root folder cannot be deleted. Name what is in it');
      }
      try {
        const entry = await getEntry(client, path, context.signal);
        await client.files.remove(entry.entryId);
        print(context, `Moved ${showName(entry.path)} to the trash.`);
      } catch (error) {
        if (!(error instanceof CairnError) || error.code !== 'not-found') throw error;
        failed++;
        remark(context, `cairn: ${showText(error.message)}.`);
      }
    }
  });
  return failed;
}

async function move(context: CliContext, from: string, to: string): Promise<void> {
  await withClient(context, async (client) => {
    const entry = await getEntry(client, from, context.signal);
    if (entry.parentId === null)
      throw new CairnError('usage', 'the root folder cannot be moved. Name what is in it');
    const target = await findEntry(client, to, context.signal);
    if (target === null && to.endsWith('/')) {
      throw new CairnError(
        'not-found',
        `there is no folder ${showName(to)} on the server. Make it with "cairn mkdir"`,
      );
    }
    // Renaming `a` to `A` finds itself; that is no folder to move into.
    const isInto = target !== null && target.kind === 'folder' && target.entryId !== entry.entryId;
    const destination = isInto ? joinServerPath(target.path, entry.name) : serverPath(to);
    const moved = await client.files.move(entry.entryId, destination);
    print(context, `Moved ${showName(entry.path)} to ${showName(moved.path)}.`);
  });
}
