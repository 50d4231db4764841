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

/** What an attempt came to that did not end well. */
interface Failure {
  readonly error: unknown;
  /** The commit was on its way. */
  readonly sent: boolean;
  /** There was a connection. */
  readonly connected: boolean;
}

class Failed extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super("attempt failed");
    this.failure = failure;
  }
}

const WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** Transactions on a pool: what of an error is worth another try, and what it is called when it is not. */
export class Database {
  readonly pool: pg.Pool;
  /** For people, without any password. */
  readonly name: string;

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
        throw new Failed({ error, sent: true, connected: true });
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

  async #tried<T>({ repeatable }: Attempt, run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#attempt(run);
      } catch (thrown) {
        if (!(thrown instanceof Failed)) throw thrown;
        const { error, sent, connected } = thrown.failure;
        const lost = isConnectionLost(error);
        const unknown = lost && sent && !repeatable;
        const most = isInTheWay(error) ? TRIES_IN_THE_WAY : lost && connected ? TRIES_LOST : 0;
        if (unknown || tries >= most) throw unknown ? unknownOutcome(this.name, error) : fromPostgres(error, this.name);
        await sleep(Math.random() * Math.min(20 * tries, 200));
      }
    }
  }

  async #attempt<T>(run: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    let client: pg.PoolClient;
    try {
      client = await this.pool.connect();
    } catch (error) {
      if (this.pool.ended) throw new StoreError("unavailable", `The ledger ${this.name} was closed.`);
      throw new Failed({ error, sent: false, connected: false });
    }
    return run(client);
  }
}

async function transaction<T>(
  client: pg.PoolClient,
  begin: string,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const session = new Session(client);
  let sent = false;
  try {
    session.sendText(begin);
    const result = await body(session);
    sent = true;
    await session.commit();
    client.release();
    return result;
  } catch (error) {
    // A connection that is lost, or whose rollback fails, is not used again; its transaction ends with it.
    const usable = !isConnectionLost(error) && (await session.rollback());
    client.release(!usable);
    throw new Failed({ error, sent, connected: true });
  }
}
