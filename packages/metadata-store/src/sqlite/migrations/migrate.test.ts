import { expect, test } from 'vitest';
import { openDatabase } from '../sqlite.ts';
import { firstSchema } from './0001-first-schema.ts';
import { APPLICATION_ID, migrate, SCHEMA_VERSION } from './migrate.ts';

test('a database of the first schema is brought to the present one with what it holds', () => {
  const database = openDatabase(':memory:', { readOnly: false, busyTimeoutMs: 0 });
  database.exec(firstSchema);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1;`);
  database.exec(`PRAGMA foreign_keys = OFF; INSERT INTO server_values VALUES ('epoch', 'e')`);
  migrate(database);
  expect(database.prepare('PRAGMA user_version').get()?.['user_version']).toBe(SCHEMA_VERSION);
  expect(database.prepare('SELECT value FROM server_values').get()?.['value']).toBe('e');
  const columns = database.prepare('PRAGMA table_info(entries)').all();
  expect(columns.map((column) => column['name'])).toEqual(
    expect.arrayContaining(['conflict_of', 'conflict_policy']),
  );
  migrate(database);
  database.close();
});

test('leases and references keep their blocks when these get numbers', () => {
  const database = openDatabase(':memory:', { readOnly: false, busyTimeoutMs: 0 });
  database.exec(firstSchema);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1; BEGIN;
    INSERT INTO users VALUES ('u', 'u', 'u', '', 'member', 's', 1);
    INSERT INTO spaces (space_id, kind, owner_id, root_id, sequence, journal_hash, genesis_hash, created_at)
      VALUES ('s', 'personal', 'u', 'r', 0, 'h', 'h', 1);
    INSERT INTO entries VALUES ('s', 'r', NULL, 'folder', '', '', NULL, 'folder', 0, NULL, 0, 0, '', NULL);
    INSERT INTO members VALUES ('u', 's', 'owner');`);
  for (const [digit, createdAt] of [
    ['c', 1],
    ['a', 2],
    ['b', 3],
  ] as const) {
    const blockId = `x'01${digit.repeat(64)}'`;
    database.exec(`INSERT INTO blocks VALUES (${blockId}, 'chunk', 5, 5, 5, 0, NULL, ${createdAt});
      INSERT INTO block_leases VALUES ('u', ${blockId}, ${createdAt * 10});`);
    if (digit !== 'a') database.exec(`INSERT INTO block_references VALUES ('s', ${blockId}, ${createdAt})`);
  }
  database.exec('COMMIT');
  migrate(database);
  const rows = database.prepare(
    `SELECT substr(hex(block_id), 3, 1) AS digit, number, lease.expires_at, held.count FROM blocks
     JOIN block_leases AS lease ON lease.block_number = number
     LEFT JOIN block_references AS held ON held.block_number = number ORDER BY number`,
  );
  expect(rows.all().map((row) => Object.values(row))).toEqual([
    ['C', 1, 10, 1],
    ['A', 2, 20, null],
    ['B', 3, 30, 3],
  ]);
  expect(() => database.exec('UPDATE blocks SET number = 9 WHERE number = 1')).toThrow(
    'a block never changes',
  );
  expect(() => database.exec('DELETE FROM blocks WHERE number = 1')).toThrow('FOREIGN KEY');
  database.close();
});
