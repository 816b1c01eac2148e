import type { Environment } from '@cairn/environment';
import type { MetadataReader, MetadataStore } from '@cairn/metadata-store';
import { CairnError, createId, type Epoch, isRandomId } from '@cairn/model';

const EPOCH = 'epoch';
const EPOCH_RENEWED_AT = 'epoch-renewed-at';

/**
 * Settles the server's epoch at start. It is kept in the database and once outside of it: a database that came back
 * from a backup, or a data folder that lost its other file, shows by the two not being equal, and gets a new epoch,
 * which makes every device compare instead of following a history that is no more.
 * @param externalEpoch what is kept outside the database, `null` when nothing is
 * @returns the epoch that the caller must keep outside the database before it serves
 */
export function ensureEpoch(
  store: MetadataStore,
  environment: Environment,
  externalEpoch: string | null,
): Promise<Epoch> {
  return store.transact(async (transaction) => {
    const kept = await transaction.getValue(EPOCH);
    if (kept !== undefined && kept === externalEpoch && isRandomId(kept)) return kept as Epoch;
    const epoch = createId<Epoch>(environment.random.bytes(16));
    await transaction.setValue(EPOCH, epoch);
    if (kept !== undefined) {
      await transaction.setValue(EPOCH_RENEWED_AT, `${environment.clock.now()}`);
      environment.log.warn('server.epoch-renewed', { epoch });
    }
    return epoch;
  });
}

/** The epoch of the snapshot that is being read. */
export async function readEpoch(reader: MetadataReader): Promise<Epoch> {
  const epoch = await reader.getValue(EPOCH);
  if (epoch === undefined) {
    throw new CairnError('unavailable', 'the server has not finished starting; try again in a moment');
  }
  return epoch as Epoch;
}

/** When a database with another epoch was found, as after a restore: milliseconds since 1970; `null`: never. */
export async function readEpochRenewal(reader: MetadataReader): Promise<number | null> {
  const renewedAt = await reader.getValue(EPOCH_RENEWED_AT);
  return renewedAt === undefined ? null : Number(renewedAt);
}
