import type { Database, Row, SqlValue, Statement } from './sqlite.ts';
import { translateError } from './sqlite-errors.ts';

/** An open database with its prepared statements. */
export interface Connection {
  readonly database: Database;
  prepare(sql: string): Statement;
  close(): void;
}

export function createConnection(database: Database): Connection {
  const statements = new Map<string, Statement>();
  return {
    database,
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = database.prepare(sql);
        statements.set(sql, statement);
      }
      return statement;
    },
    close() {
      statements.clear();
      if (database.isOpen) database.close();
    },
  };
}

/** The right to use a connection during one transaction. After `end` every use throws. */
export interface Session {
  one(sql: string, ...parameters: SqlValue[]): Row | undefined;
  all(sql: string, ...parameters: SqlValue[]): Row[];
  /** Returns the number of rows changed. */
  run(sql: string, ...parameters: SqlValue[]): number;
  end(): void;
}

export function createSession(connection: Connection): Session {
  let over = false;

  function use<Result>(sql: string, action: (statement: Statement) => Result): Result {
    // Work that lost its transaction (one of several promises threw) must not write into the next one.
    if (over) throw new Error('the transaction is over: some of its work was not awaited');
    try {
      return action(connection.prepare(sql));
    } catch (error) {
      throw translateError(error);
    }
  }

  return {
    one: (sql, ...parameters) => use(sql, (statement) => statement.get(...parameters)),
    all: (sql, ...parameters) => use(sql, (statement) => statement.all(...parameters)),
    run: (sql, ...parameters) => use(sql, (statement) => Number(statement.run(...parameters).changes)),
    end() {
      over = true;
    },
  };
}
