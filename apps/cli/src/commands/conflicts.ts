import type { ConflictObject } from '@cairn/protocol';
import { findConflict, readConflicts } from '../conflicts/find-conflicts.ts';
import { readText, type Side, sidesOf, writeSides } from '../conflicts/read-sides.ts';
import { withClient } from '../connect.ts';
import { type CliContext, paint, print, printJson, remark } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { showInstant, showName, showSize } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';

/** Larger files are not compared line by line. */
const MAX_TEXT_BYTES = 256 * 1024;

const HELP = `
A conflict copy is made when a file was changed in two places. "theirs" is what has the name, "mine" what is in the
copy, "base" what both were made from. Nothing is lost whatever you keep: the other content stays among the versions
of the file, or in the trash.

Examples:
  cairn conflicts
  cairn conflicts show "/plan (Laptop's Conflict Copy 2026-11-20).txt"
  cairn conflicts keep mine "/plan (Laptop's Conflict Copy 2026-11-20).txt"`;

/** conflicts list, show, keep */
export const registerConflicts: RegisterCommand = (program, context) => {
  const conflicts = program
    .command('conflicts')
    .description('see files that were changed in two places, and decide what to keep')
    .addHelpText('after', HELP);
  conflicts
    .command('list', { isDefault: true })
    .alias('ls')
    .description('list conflict copies that nobody has decided about')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn conflicts list')
    .action((options: { json?: boolean }) => list(context, options.json === true));
  conflicts
    .command('show')
    .description('show both contents, what they were made from, and for texts what differs')
    .argument('<path>', 'server path of the copy, or of the file it is a copy of')
    .option('--out <folder>', 'write the contents as files into this folder and print their paths')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn conflicts show /plan.txt --out compare')
    .action((path: string, options: { out?: string; json?: boolean }) => show(context, path, options));
  const keep = conflicts
    .command('keep')
    .description('decide: mine (the copy), theirs (what has the name), or both')
    .addHelpText('after', '\nExample:\n  cairn conflicts keep both /plan.txt');
  for (const [choice, description] of Object.entries(CHOICES)) {
    keep
      .command(choice)
      .description(description)
      .argument('<path>', 'server path of the copy, or of the file it is a copy of')
      .addHelpText('after', `\nExample:\n  cairn conflicts keep ${choice} /plan.txt`)
      .action((path: string) => decide(context, choice as keyof typeof CHOICES, path));
  }
};

const CHOICES = {
  mine: "the copy's content becomes current, the other one stays among the versions; the copy goes to the trash",
  theirs: 'the copy goes to the trash',
  both: 'the copy stays as an ordinary file',
} as const;

async function list(context: CliContext, json: boolean): Promise<void> {
  await withClient(context, async (client) => {
    const conflicts = await readConflicts(client, context.signal);
    if (json) {
      printJson(context, { conflicts });
      return;
    }
    if (conflicts.length === 0) {
      remark(context, 'There are no conflicts.');
      return;
    }
    const rows = conflicts.map(({ copy, original, conflictOf }) => [
      showName(copy.entry.path),
      original === null ? '(gone)' : showName(original.entry.path),
      showName(conflictOf.deviceName),
      showInstant(copy.version.committedAt),
    ]);
    const columns = [{ title: 'COPY' }, { title: 'OF' }, { title: 'DEVICE' }, { title: 'SAVED' }];
    print(context, ...formatTable(columns, rows));
    remark(
      context,
      'See one with "cairn conflicts show COPY"; decide with "cairn conflicts keep mine|theirs|both COPY".',
    );
  });
}

async function show(
  context: CliContext,
  path: string,
  options: { readonly out?: string; readonly json?: boolean },
): Promise<void> {
  await withClient(context, async (client) => {
    const { signal } = context;
    const conflict = await findConflict(client, path, signal);
    const sides = sidesOf(conflict);
    const files = options.out === undefined ? null : await writeSides(client, sides, options.out, signal);
    if (options.json === true) {
      printJson(context, { ...conflict, ...(files === null ? {} : { files }) });
      return;
    }
    const devices = new Map(
      (await client.account.devices(signal)).map((device) => [device.deviceId, device.name]),
    );
    print(context, ...describeSides(sides, devices));
    if (files !== null) {
      print(context, '', ...files);
      return;
    }
    const [theirs, mine] = [sides.find(isLabelled('theirs')), sides.find(isLabelled('mine'))];
    if (theirs === undefined || mine === undefined) return;
    const texts = [
      await readText(client, theirs, MAX_TEXT_BYTES, signal),
      await readText(client, mine, MAX_TEXT_BYTES, signal),
    ] as const;
    const { describeDifference } = await import('../conflicts/show-difference.ts');
    const lines = texts[0] === null || texts[1] === null ? null : describeDifference(texts[0], texts[1]);
    if (lines === null) {
      remark(context, 'They are no short texts; write them into a folder with --out FOLDER to compare them.');
      return;
    }
    print(context, '', '--- theirs', '+++ mine', ...lines.map((line) => paintLine(context, line)));
  });
}

function isLabelled(label: Side['label']): (side: Side) => boolean {
  return (side) => side.label === label;
}

function describeSides(sides: readonly Side[], devices: ReadonlyMap<string, string>): string[] {
  const rows = sides.map(({ label, path, version }) => [
    label,
    version.versionId,
    showInstant(version.committedAt),
    version.target === null ? showSize(version.sizeBytes) : `-> ${showName(version.target)}`,
    showName(devices.get(version.deviceId) ?? version.deviceId),
    path === null ? '' : showName(path),
  ]);
  const columns = [
    { title: '' },
    { title: 'VERSION' },
    { title: 'SAVED' },
    { title: 'SIZE', align: 'right' as const },
    { title: 'DEVICE' },
    { title: 'PATH' },
  ];
  return formatTable(columns, rows).map((line) => line.trimEnd());
}

function paintLine(context: CliContext, line: string): string {
  if (line.startsWith('+')) return paint(context, 'green', line);
  return line.startsWith('-') ? paint(context, 'red', line) : line;
}

async function decide(context: CliContext, keep: keyof typeof CHOICES, path: string): Promise<void> {
  await withClient(context, async (client) => {
    const conflict = await findConflict(client, path, context.signal);
    await client.conflicts.resolve(conflict.copy.entry.entryId, {
      keep,
      copySequence: conflict.copy.entry.sequence,
      originalSequence: conflict.original?.entry.sequence ?? null,
    });
    print(context, describeDecision(keep, conflict));
  });
}

function describeDecision(keep: keyof typeof CHOICES, { copy, original }: ConflictObject): string {
  const copyPath = showName(copy.entry.path);
  const path = showName(original?.entry.path ?? '');
  switch (keep) {
    case 'mine':
      return `${path} has the content of the copy now; the other one is in "cairn versions". The copy is in the trash.`;
    case 'theirs':
      return `${path} stays as it is. ${copyPath} is in the trash.`;
    case 'both':
      return `${copyPath} is an ordinary file now.`;
  }
}
