import { CairnError } from '@cairn/model';
import type { DeviceDescription } from '@cairn/protocol';
import { withClient } from '../connect.ts';
import { type CliContext, print, printJson } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { showInstant, showName } from '../output/text.ts';
import type { RegisterCommand } from '../register-command.ts';

/** devices list, devices revoke */
export const registerDevices: RegisterCommand = (program, context) => {
  const devices = program
    .command('devices')
    .description('list and revoke the devices of your account')
    .addHelpText('after', '\nExamples:\n  cairn devices list\n  cairn devices revoke "Old laptop"');
  devices
    .command('list', { isDefault: true })
    .alias('ls')
    .description('list the devices')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  cairn devices list')
    .action((options: { json?: boolean }) => list(context, options.json === true));
  devices
    .command('revoke')
    .description('sign a device out for good; its files stay where they are')
    .argument('<device>', 'its id or its name')
    .addHelpText('after', '\nExample:\n  cairn devices revoke "Old laptop"')
    .action((named: string) => revoke(context, named));
};

async function list(context: CliContext, json: boolean): Promise<void> {
  await withClient(context, async (client) => {
    const devices = await client.account.devices(context.signal);
    if (json) {
      printJson(context, { devices });
      return;
    }
    const rows = devices.map((device) => [
      showName(device.name),
      showInstant(device.lastSeenAt),
      device.revokedAt !== null ? 'revoked' : device.current ? 'this device' : 'active',
      device.deviceId,
    ]);
    print(
      context,
      ...formatTable([{ title: 'NAME' }, { title: 'LAST SEEN' }, { title: 'STATE' }, { title: 'ID' }], rows),
    );
  });
}

async function revoke(context: CliContext, named: string): Promise<void> {
  await withClient(context, async (client) => {
    const devices = await client.account.devices(context.signal);
    const active = devices.filter((device) => device.revokedAt === null);
    const found = active.filter((device) => device.deviceId === named || device.name === named);
    const device = pickOne(found, named);
    await client.account.revokeDevice(device.deviceId);
    print(context, `Revoked ${showName(device.name)}. It can sign in again only with the password.`);
  });
}

function pickOne(found: readonly DeviceDescription[], named: string): DeviceDescription {
  const [device] = found;
  if (device === undefined) {
    throw new CairnError(
      'not-found',
      `you have no active device ${showName(named)}. See "cairn devices list"`,
    );
  }
  if (found.length > 1) {
    throw new CairnError(
      'usage',
      `${found.length} devices are called ${showName(named)}. Give the id from "cairn devices list"`,
    );
  }
  return device;
}
