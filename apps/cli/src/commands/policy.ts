import type { Client } from '@cairn/client';
import { CairnError, type ConflictPolicy, parseServerPath } from '@cairn/model';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson } from '../context.ts';
import { showName } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';
import { getEntry, joinServerPath } from '../server-paths.ts';

const POLICIES: Record<string, ConflictPolicy | null> = {
  'keep-both': 'keep-both',
  'last-write-wins': 'last-write-wins',
  inherit: null,
};

const MEANINGS: Record<ConflictPolicy, string> = {
  'keep-both': 'a file changed in two places leaves a conflict copy',
  'last-write-wins':
    'of a file changed in two places the later content becomes current, the other one stays among the versions',
};

/** policy PATH [value] */
export const registerPolicy: RegisterCommand = (program, context) => {
  program
    .command('policy')
    .description('show or set what happens when a file in a folder is changed in two places')
    .argument('<path>', 'server path of a folder')
    .argument('[policy]', 'keep-both, last-write-wins, or inherit (what the folder around it says)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  cairn policy /logs last-write-wins\n  cairn policy /logs\n  cairn policy /logs inherit',
    )
    .action((path: string, wanted: string | undefined, options: { json?: boolean }) =>
      run(context, path, wanted, options.json === true),
    );
};

async function run(
  context: CliContext,
  path: string,
  wanted: string | undefined,
  json: boolean,
): Promise<void> {
  const policy = wanted === undefined ? undefined : POLICIES[wanted];
  if (wanted !== undefined && policy === undefined) {
    throw new CairnError('usage', `${showName(wanted)} is none of ${Object.keys(POLICIES).join(', ')}`);
  }
  await withClient(context, async (client) => {
    const entry = await getEntry(client, path, context.signal);
    if (entry.kind !== 'folder') {
      throw new CairnError(
        'not-a-folder',
        `${showName(entry.path)} is not a folder; name the folder around it`,
      );
    }
    if (policy !== undefined) await client.files.update(entry.entryId, { conflictPolicy: policy });
    const effective = await findEffective(client, entry.path, context.signal);
    const own = policy === undefined ? (entry.conflictPolicy ?? null) : policy;
    if (json) {
      printJson(context, { path: entry.path, own, effective: effective.policy, saidBy: effective.saidBy });
      return;
    }
    const says =
      effective.saidBy === null
        ? 'nothing says otherwise'
        : effective.saidBy === entry.path
          ? 'set here'
          : `set for ${showName(effective.saidBy)}`;
    print(context, `${showName(entry.path)}: ${effective.policy} (${says}): ${MEANINGS[effective.policy]}.`);
  });
}

/** What the nearest folder at or above the path says. */
async function findEffective(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly policy: ConflictPolicy; readonly saidBy: string | null }> {
  const folders = ['/'];
  for (const name of parseServerPath(path)) folders.push(joinServerPath(folders.at(-1) as string, name));
  for (const folder of folders.reverse()) {
    const { conflictPolicy } = await getEntry(client, folder, signal);
    if (conflictPolicy !== undefined) return { policy: conflictPolicy, saidBy: folder };
  }
  return { policy: 'keep-both', saidBy: null };
}
