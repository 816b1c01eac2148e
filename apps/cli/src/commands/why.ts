import { CairnError } from '@cairn/model';
import type { Explanation, TreeFacts } from '@cairn/sync-engine';
import { type CliContext, paint, print, printJson } from '../context.ts';
import { showInstant, showMoment, showName, showText } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';
import { homeFolder } from '../settings.ts';
import { askIfRunning, requireLinkOf } from '../sync/chosen-links.ts';

const LAST_ACTIVITIES = 5;

/** why PATH */
export const registerWhy: RegisterCommand = (program, context) => {
  program
    .command('why')
    .description('the exact sync state of one path: what each side says, what happens next, and why')
    .argument('<path>', 'a path in a synced folder')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nAlso while no daemon runs: then as of when one last did.\n\nExample:\n  cairn why ~/Cairn/report.odt',
    )
    .action((path: string, options: { json?: boolean }) => why(context, path, options.json === true));
};

async function why(context: CliContext, path: string, json: boolean): Promise<void> {
  const { link, inside } = await requireLinkOf(context, path);
  const home = homeFolder(context);
  const asked = await askIfRunning<Explanation>(context, link, { command: 'why', path: inside });
  const { readStoredState } = await import('../sync/stored-state.ts');
  const { signedInName } = await import('../sync/signed-in-name.ts');
  const { activityLogPath, readActivities } = await import('../sync/activity-log.ts');
  const explanation =
    asked ?? readStoredState(home, link, await signedInName(context))?.explain(inside) ?? null;
  if (explanation === null)
    throw new CairnError('not-running', `${link.folder} was never synced. Start it with "cairn sync start"`);
  const activities = readActivities(activityLogPath(home, link), inside, LAST_ACTIVITIES);
  if (json) {
    printJson(context, { running: asked !== null, ...explanation, activities });
    return;
  }
  const title = explanation.path === '' ? link.folder : explanation.path;
  print(context, `${showName(title)}: ${explanation.verdict}`);
  for (const line of explanation.lines) print(context, `  ${showText(line)}`);
  const { remote, local, synced } = explanation.trees;
  for (const [name, facts] of [
    ['server', remote],
    ['this device', local],
    ['agreed', synced],
  ] as const)
    print(context, paint(context, 'dim', `  ${name}: ${describeFacts(facts)}`));
  if (activities.length > 0) print(context, '  Lately:');
  for (const { at, operation, result, message } of activities)
    print(
      context,
      `    ${showMoment(at)}  ${operation} ${result}${message === undefined ? '' : `: ${showText(message)}`}`,
    );
}

function describeFacts(facts: TreeFacts | null): string {
  if (facts === null) return 'nothing';
  const parts = [facts.kind];
  if (facts.path !== null && facts.path !== '') parts.push(showName(facts.path));
  if (facts.contentId !== null) parts.push(`content ${facts.contentId.slice(2, 14)}`);
  else if (facts.kind === 'file') parts.push('content not read yet');
  if (facts.sizeBytes !== null && facts.kind === 'file') parts.push(`${facts.sizeBytes} bytes`);
  if (facts.modifiedAtUs !== null)
    parts.push(`modified ${showInstant(Math.floor(facts.modifiedAtUs / 1000))}`);
  if (facts.sequence !== null) parts.push(`change ${facts.sequence}`);
  return parts.join(', ');
}
