import { createFileSessionStore } from '@cairn/client';
import type { CliContext } from '../context.ts';
import { deviceName, homeFolder } from '../settings.ts';

/** What this device is called on the server, so that conflict copies name it as the list of devices does. */
export async function signedInName(context: CliContext): Promise<string> {
  const given = context.variables['CAIRN_DEVICE'];
  if (given !== undefined && given !== '') return deviceName(context);
  const session = await createFileSessionStore(homeFolder(context)).read();
  return session?.device.name ?? deviceName(context);
}
