import type pg from "pg";
import type { Row } from "./types.ts";

/** A statement that is prepared once for each connection. Its text never changes under its name. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
}

/**
 * One transaction on one connection. Statements are sent at once and answered in order: what is sent together costs one
 * round trip.
 */
export class Session {
  readonly #client: pg.PoolClient;
  /** Sent, and not waited for yet. */
  #pending: Promise<unknown>[] = [];

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  async rows<T = Row>(statement: Statement, ...values: readonly unknown[]): Promise<T[]> {
    const { rows } = await this.#client.query<Row>({ ...statement, values: [...values] });
    return rows as T[];
  }

  /** Sends a statement whose answer says nothing; its error comes out of the commit. */
  send(statement: Statement, ...values: readonly unknown[]): void {
    this.#push(this.#client.query({ ...statement, values: [...values] }));
  }

  sendText(sql: string): void {
    this.#push(this.#client.query(sql));
  }

  /** Commits what was sent, in the same round trip. Throws what made it fail: then nothing was changed. */
  async commit(): Promise<void> {
    const commit = this.#client.query("COMMIT");
    commit.catch(ignore);
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

  #push(answer: Promise<unknown>): void {
    // Waited for at the commit; until then its rejection is not unhandled.
    answer.catch(ignore);
    this.#pending.push(answer);
  }
}

function ignore(): void {}
