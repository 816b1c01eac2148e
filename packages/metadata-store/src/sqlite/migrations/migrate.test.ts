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
