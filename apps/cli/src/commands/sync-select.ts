import { isAbsolute } from 'node:path';
import { CairnError } from '@cairn/model';
import type { SelectionMark, SelectionRequest } from '@cairn/sync-engine';
import type { Command } from 'commander';
import { type CliContext, print, printJson, remark } from '../context.ts';
import { showName } from '../output/text.ts';
import { homeFolder } from '../settings.ts';
import { askIfRunning, chooseLinks, requireLinkOf } from '../sync/chosen-links.ts';
import type { SyncLink } from '../sync/links.ts';

interface Options {
  readonly only?: string[];
  readonly exclude?: string[];
  readonly include?: string[];
  readonly all?: boolean;
  readonly folder?: string;
  readonly json?: boolean;
}

/** sync select --only|--exclude|--include PATH… */
export function registerSyncSelect(sync: Command, context: CliContext): void {
  sync
    .command('select')
    .description('choose which part of the space this device holds; never deletes anything on the server')
    .option('--only <path...>', 'hold these and nothing else')
    .option('--exclude <path...>', 'do not hold these; what is here goes once the server certainly has it')
    .option('--include <path...>', 'hold these again')
    .option('--all', 'hold everything again')
    .option('--list', 'print what is chosen (as without any option)')
    .option('--folder <folder>', 'the synced folder, where paths like /photos/2019 do not tell')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nA path is one in a synced folder (~/Cairn/photos) or one on the server (/photos).\nA file that the server does not have as it is here stays, and "cairn sync status" tells.\n\nExample:\n  cairn sync select --exclude ~/Cairn/photos/2019',
    )
    .action((options: Options) => select(context, options));
}

async function select(context: CliContext, options: Options): Promise<void> {
  const changes = options.only ?? options.exclude ?? options.include ?? (options.all ? [] : null);
  if (changes === null) {
    await list(context, options);
    return;
  }
  const { link, request } = await readRequest(context, options);
  const running = await askIfRunning<SelectionMark[]>(context, link, {
    command: 'select',
    ...request,
  } as never);
  const { selectStored } = await import('../sync/stored-state.ts');
  const marks = running ?? selectStored(homeFolder(context), link, request);
  for (const { path, selected, unknown } of marks)
    if (unknown)
      remark(
        context,
        `There is nothing at ${showName(`/${path}`)} now; it stays ${selected ? 'chosen' : 'left out'}.`,
      );
  if (options.json) printJson(context, { folder: link.folder, running: running !== null, selection: marks });
  else {
    print(context, ...describeSelection(link, marks));
    if (running === null) print(context, 'It is carried out when "cairn sync start" runs again.');
  }
}

async function list(context: CliContext, options: Options): Promise<void> {
  const { selectStored } = await import('../sync/stored-state.ts');
  const all: { folder: string; selection: readonly SelectionMark[] }[] = [];
  for (const link of await chooseLinks(context, options.folder)) {
    const status = await askIfRunning<{ selection: SelectionMark[] }>(context, link, { command: 'status' });
    const selection = status?.selection ?? selectStored(homeFolder(context), link, null);
    all.push({ folder: link.folder, selection });
    if (!options.json) print(context, ...describeSelection(link, selection));
  }
  if (options.json) printJson(context, { folders: all });
}

/** All paths must be of one folder. */
async function readRequest(
  context: CliContext,
  options: Options,
): Promise<{ link: SyncLink; request: SelectionRequest }> {
  const links = await chooseLinks(context, options.folder);
  let link = links.length === 1 ? links[0] : undefined;
  const inside = async (path: string): Promise<string> => {
    const { findLinkOf } = await import('../sync/links.ts');
    const found = findLinkOf(homeFolder(context), path);
    if (found !== undefined && (link === undefined || found.link.linkId === link.linkId)) {
      link = found.link;
      return found.inside;
    }
    if (found === undefined && path.startsWith('/') && link !== undefined) return path;
    if (found !== undefined && link !== undefined)
      throw new CairnError('usage', 'choose in one synced folder at a time');
    // With --folder it is said which folder a path is in.
    if (link !== undefined && options.folder !== undefined && !isAbsolute(path)) return path;
    if (!isAbsolute(path))
      throw new CairnError(
        'usage',
        `${showName(path)} is not in a synced folder here; say it as on the server (${showName(`/${path}`)}), or add --folder FOLDER`,
      );
    return (await requireLinkOf(context, path)).inside;
  };
  const request: { only?: string[]; exclude?: string[]; include?: string[] } = {};
  if (options.all) request.only = [''];
  for (const kind of ['only', 'exclude', 'include'] as const) {
    const paths = options[kind];
    if (paths === undefined) continue;
    request[kind] = [];
    for (const path of paths) request[kind].push(await inside(path));
  }
  if (link === undefined)
    throw new CairnError(
      'usage',
      'which synced folder? Say it with --folder FOLDER; see "cairn sync status"',
    );
  return { link, request };
}

function describeSelection(link: SyncLink, marks: readonly SelectionMark[]): string[] {
  if (marks.length === 0) return [`${showName(link.folder)} holds everything.`];
  const lines = [`${showName(link.folder)} holds a part:`];
  for (const { path, selected } of marks)
    lines.push(
      `  ${selected ? 'holds' : 'leaves out'} ${path === '' ? 'everything else' : showName(`/${path}`)}`,
    );
  return lines;
}
