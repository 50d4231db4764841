import type pg from "pg";
import type { Row } from "./types.ts";

/** A statement that is prepared once for each connection, when it has a name. Its text never changes under its name. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/** What Postgres says to every statement after one that failed. */
const ABORTED = "25P02";

/**
 * One transaction on one connection. Statements are sent at once and answered in order: what is sent together costs one
 * round trip.
 */
export class Session {
  readonly #client: pg.PoolClient;
  /** Sent, and not waited for yet. */
  readonly #pending: Promise<unknown>[] = [];
  #failure: unknown;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async rows<T = Row>(statement: Statement, ...values: readonly unknown[]): Promise<T[]> {
    const { rows } = await this.#query({ ...statement, values: [...values] });
    return rows as T[];
  }

  /** Sends a statement whose answer says nothing; its error comes out of the commit. */
  send(statement: Statement, ...values: readonly unknown[]): void {
    this.#pending.push(this.#query({ ...statement, values: [...values] }));
  }

  sendText(sql: string): void {
    this.#pending.push(this.#query(sql));
  }

  /** Commits what was sent, in the same round trip. Throws what made it fail: then nothing was changed. */
  async commit(): Promise<void> {
    const commit = this.#query("COMMIT");
    await Promise.all(this.#pending);
    const { command } = await commit;
    if (command !== "COMMIT") throw new Error(`the transaction ended with ${command}`);
  }

  /** False when the connection cannot be used any more. */
  async rollback(): Promise<boolean> {
    try {
      await Promise.allSettled(this.#pending);
      await this.#client.query("ROLLBACK");
      return true;
    } catch {
      return false;
    }
  }

  /** What made the transaction fail, when the error only says that it did. */
  causeOf(error: unknown): unknown {
    const aborted = error instanceof Error && "code" in error && error.code === ABORTED;
    return aborted && this.#failure ? this.#failure : error;
  }

  #query(query: string | pg.QueryConfig): Promise<pg.QueryResult<Row>> {
    const answer = this.#client.query<Row>(query);
    // Who waits for the answer gets its error too; until somebody does, the rejection is not unhandled.
    answer.catch((error: unknown) => {
      this.#failure ??= error;
    });
    return answer;
  }
}
