import { CairnError } from '@cairn/model';
import type { VersionObject } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, paint, print, printJson } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { showInstant, showName, showSize } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';
import { getEntry } from '../server-paths.ts';

/** versions, revert */
export const registerVersions: RegisterCommand = (program, context) => {
  program
    .command('versions')
    .description('list the saved versions of a file, newest first')
    .argument('<path>', 'server path')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn versions /docs/plan.txt')
    .action((path: string, options: { json?: boolean }) => list(context, path, options.json === true));
  program
    .command('revert')
    .description('make an older version of a file the current one; no version is lost')
    .argument('<path>', 'server path')
    .requiredOption('--to <version>', 'id of the version, or the beginning of it')
    .addHelpText(
      'after',
      '\nExample:\n  cairn revert /docs/plan.txt --to k3x7\n\nThe ids are in "cairn versions PATH".',
    )
    .action((path: string, options: { to: string }) => revert(context, path, options.to));
};

async function list(context: CliContext, path: string, json: boolean): Promise<void> {
  await withClient(context, async (client) => {
    const entry = await getEntry(client, path, context.signal);
    const versions = await client.files.versions(entry.entryId, context.signal);
    if (json) {
      printJson(context, { entry, versions });
      return;
    }
    const devices = new Map(
      (await client.account.devices(context.signal)).map((device) => [device.deviceId, device.name]),
    );
    const rows = versions.map((version) => [
      version.versionId,
      showInstant(version.committedAt),
      version.target === null ? showSize(version.sizeBytes) : `-> ${showName(version.target)}`,
      showName(devices.get(version.deviceId) ?? version.deviceId),
      version.versionId === entry.versionId ? paint(context, 'green', 'current') : '',
    ]);
    const columns = [
      { title: 'VERSION' },
      { title: 'SAVED' },
      { title: 'SIZE', align: 'right' as const },
      { title: 'DEVICE' },
      { title: '' },
    ];
    print(context, ...formatTable(columns, rows).map((line) => line.trimEnd()));
  });
}

async function revert(context: CliContext, path: string, wanted: string): Promise<void> {
  await withClient(context, async (client) => {
    const entry = await getEntry(client, path, context.signal);
    const version = pickVersion(await client.files.versions(entry.entryId, context.signal), wanted, path);
    if (version.versionId === entry.versionId) {
      print(context, `${showName(entry.path)} has this version already.`);
      return;
    }
    await client.files.revert(entry.entryId, version.versionId);
    print(context, `Reverted ${showName(entry.path)} to the version of ${showInstant(version.committedAt)}.`);
  });
}

function pickVersion(versions: readonly VersionObject[], wanted: string, path: string): VersionObject {
  const found = wanted === '' ? [] : versions.filter((version) => version.versionId.startsWith(wanted));
  const [version] = found;
  if (version === undefined) {
    throw new CairnError(
      'not-found',
      `${showName(path)} has no version ${showName(wanted)}. See "cairn versions"`,
    );
  }
  if (found.length > 1) {
    throw new CairnError(
      'usage',
      `${found.length} versions begin with ${showName(wanted)}. Give more of the id`,
    );
  }
  return version;
}
