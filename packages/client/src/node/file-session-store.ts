import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemTimers } from '@cairn/environment';
import { CairnError } from '@cairn/model';
import type { SessionRecord, SessionStore } from '../session-store.ts';

const FILE_NAME = 'session.json';
/** A refresh takes one request; whoever holds the lock longer hangs on a dead network. */
const LOCK_TIMEOUT_MS = 90_000;

/**
 * Keeps the session in `folder`/session.json, readable by its owner only.
 * The lock is a SQLite lock on `folder`/session.lock: the kernel drops it when its holder dies, whichever way.
 * @param folder CAIRN_HOME; created (0700) at the first write
 */
export function createFileSessionStore(folder: string): SessionStore {
  const path = join(folder, FILE_NAME);

  async function read(): Promise<SessionRecord | null> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw ioProblem('read', path, error);
    }
    const record = parseRecord(text);
    if (record === null) {
      throw new CairnError('not-configured', `${path} is damaged. Sign in again with "cairn login"`);
    }
    return record;
  }

  async function write(record: SessionRecord): Promise<void> {
    const temporary = join(folder, `.${FILE_NAME}.${randomBytes(6).toString('hex')}`);
    try {
      await makePrivateFolder(folder);
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.writeFile(`${JSON.stringify(record, null, 2)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, path);
      await syncFolder(folder);
    } catch (error) {
      await rm(temporary, { force: true });
      throw ioProblem('write', path, error);
    }
  }

  return {
    read,
    write,
    async remove() {
      await rm(path, { force: true });
      if ((await stat(folder).catch(() => null)) !== null) await syncFolder(folder);
    },
    async exclusively(work, signal) {
      await makePrivateFolder(folder).catch((error) => {
        throw ioProblem('create', folder, error);
      });
      const lock = await takeLock(join(folder, 'session.lock'), signal);
      try {
        return await work();
      } finally {
        lock.close();
      }
    },
  };
}

async function takeLock(path: string, signal: AbortSignal | undefined): Promise<DatabaseSync> {
  const database = new DatabaseSync(path, { timeout: 0 });
  const giveUpAt = Date.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      await chmod(path, 0o600).catch(() => undefined);
      return database;
    } catch (error) {
      const busy = /locked|busy/i.test((error as Error).message);
      if (!busy || Date.now() > giveUpAt || signal?.aborted) {
        database.close();
        if (signal?.aborted) throw signal.reason;
        throw new CairnError(
          'local-io',
          busy
            ? 'another Cairn process has been renewing the sign-in for too long. Stop it and try again'
            : `cannot lock ${path}. Check the folder's permissions and free space`,
          { cause: error },
        );
      }
    }
    await systemTimers.sleep(10 + Math.random() * 30, signal).catch((error) => {
      database.close();
      throw error;
    });
  }
}

async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode } = await stat(folder);
  if ((mode & 0o077) !== 0) await chmod(folder, 0o700);
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parseRecord(text: string): SessionRecord | null {
  let value: Partial<SessionRecord>;
  try {
    value = JSON.parse(text);
  } catch {
    // The caller says what to do about a damaged file.
    return null;
  }
  const whole =
    typeof value === 'object' &&
    value !== null &&
    [value.serverUrl, value.spaceId, value.rootId, value.accessToken, value.refreshToken].every(
      (field) => typeof field === 'string',
    ) &&
    typeof value.accessTokenExpiresAt === 'number' &&
    typeof value.receivedAt === 'number' &&
    typeof value.user?.username === 'string' &&
    typeof value.device?.deviceId === 'string';
  return whole ? (value as SessionRecord) : null;
}

function ioProblem(verb: string, path: string, error: unknown): CairnError {
  const systemCode = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  const full = systemCode === 'ENOSPC' || systemCode === 'EDQUOT';
  return new CairnError(
    full ? 'local-disk-full' : 'local-io',
    `cannot ${verb} ${path} (${systemCode}). ${full ? 'Free some space' : 'Check its permissions'} and try again`,
    { cause: error },
  );
}
