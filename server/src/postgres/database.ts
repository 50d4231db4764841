import { setTimeout as sleep } from "node:timers/promises";
import { StoreError } from "@alai/core";
import type pg from "pg";
import { fromPostgres, isConnectionLost, isInTheWay, unknownOutcome } from "./errors.ts";
import { Session, type Statement } from "./session.ts";
import type { Row } from "./types.ts";

/** How often a transaction is begun again because others were in its way, or because its connection was lost. */
const TRIES_IN_THE_WAY = 12;
const TRIES_LOST = 3;

export interface Attempt {
  /** Doing it twice is the same as once: it may be tried again even when its commit got no answer. */
  readonly repeatable: boolean;
}

/** An attempt that did not end well. */
class Failed extends Error {
  readonly error: unknown;
  /** How far it came: no connection; its commit was not sent; it was. */
  readonly at: "connecting" | "working" | "committing";

  constructor(error: unknown, at: Failed["at"]) {
    super("attempt failed");
    this.error = error;
    this.at = at;
  }
}

/** A transaction that reads for as long as it is wanted. */
export interface Reading {
  readonly session: Session;
  /** What an error is called. */
  failed(error: unknown): unknown;
  end(): Promise<void>;
}

const WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED";
const READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** Transactions on a pool: what of an error is worth another try, and what it is called when it is not. */
export class Database {
  readonly pool: pg.Pool;
  /** For people, without any password. */
  readonly name: string;
  #closed = false;

  constructor(pool: pg.Pool, name: string) {
    this.pool = pool;
    this.name = name;
  }

  /** One statement that is its own transaction. */
  async call(statement: Statement, values: readonly unknown[], attempt: Attempt): Promise<Row[]> {
    return this.#tried(attempt, async (client) => {
      try {
        const { rows } = await client.query<Row>({ ...statement, values: [...values] });
        client.release();
        return rows;
      } catch (error) {
        client.release(isConnectionLost(error));
        throw new Failed(error, "committing");
      }
    });
  }

  /** Reads at one moment. The body may be run again. */
  read<T>(body: (session: Session) => Promise<T>): Promise<T> {
    return this.#tried({ repeatable: true }, (client) => transaction(client, READ, body));
  }

  /** Changes all or nothing. The body may be run again, from the start, after all it did was undone. */
  write<T>(body: (session: Session) => Promise<T>, attempt: Attempt): Promise<T> {
    return this.#tried(attempt, (client) => transaction(client, WRITE, body));
  }

  /** Begins to read at one moment, for a reader that takes its time. */
  hold(): Promise<Reading> {
    return this.#tried({ repeatable: true }, async (client) => {
      const session = new Session(client);
      session.sendText(READ);
      return {
        session,
        failed: (error: unknown) => fromPostgres(session.causeOf(error), this.name),
        end: async () => client.release(!(await session.rollback())),
      };
    });
  }

  async #tried<T>({ repeatable }: Attempt, run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await run(await this.#connect());
      } catch (thrown) {
        if (!(thrown instanceof Failed)) throw thrown;
        const { error, at } = thrown;
        const lost = isConnectionLost(error);
        if (lost && at === "committing" && !repeatable) throw unknownOutcome(this.name, error);
        if (tries >= triesFor(error, lost && at !== "connecting")) throw fromPostgres(error, this.name);
        await sleep(Math.random() * Math.min(20 * tries, 200));
      }
    }
  }

  /** Resolves when what runs has ended and no connection is open any more. Nothing begins from now on. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    // A pool that has ended lets those wait who ask it for a connection.
    if (this.#closed) throw new StoreError("unavailable", `The ledger ${this.name} was closed.`);
    try {
      return await this.pool.connect();
    } catch (error) {
      throw new Failed(error, "connecting");
    }
  }
}

function triesFor(error: unknown, lost: boolean): number {
  if (isInTheWay(error)) return TRIES_IN_THE_WAY;
  return lost ? TRIES_LOST : 1;
}

async function transaction<T>(
  client: pg.PoolClient,
  begin: string,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const session = new Session(client);
  let at: Failed["at"] = "working";
  try {
    session.sendText(begin);
    const result = await body(session);
    at = "committing";
    await session.commit();
    client.release();
    return result;
  } catch (thrown) {
    const error = session.causeOf(thrown);
    // A connection that is lost, or whose rollback fails, is not used again; its transaction ends with it.
    const usable = !isConnectionLost(error) && (await session.rollback());
    client.release(!usable);
    throw new Failed(error, at);
  }
}
