import { join } from 'node:path';
import { CairnError } from '@cairn/model';
import { readText, writeWhole } from './data-folder.ts';

/** Says in a folder of blocks whose it is, and which of that server's places. */
export interface PlaceMarker {
  readonly serverId: string;
  readonly placeId: string;
}

const NAME = 'cairn-place';
const FORM = /^([a-z2-7]{26}) ([a-z2-7]{26})$/;

/** `null` for a folder that has none. @throws CairnError `data-damaged`, and what the disk says */
export async function readPlaceMarker(directory: string): Promise<PlaceMarker | null> {
  const text = await readText(join(directory, NAME));
  if (text === null) return null;
  const found = FORM.exec(text);
  if (found !== null) return { serverId: found[1] as string, placeId: found[2] as string };
  throw new CairnError(
    'data-damaged',
    `${join(directory, NAME)} is damaged; remove it and start again: what is in the folder is compared with the database then`,
  );
}

export async function writePlaceMarker(directory: string, marker: PlaceMarker): Promise<void> {
  await writeWhole(directory, NAME, `${marker.serverId} ${marker.placeId}\n`, false);
}
