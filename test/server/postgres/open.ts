import { PostgresLedger, type PostgresOptions } from "../../../server/src/postgres/index.ts";
import { createDatabase } from "./database.ts";

/** What a test gets: a database of its own, and as many replicas on it as it wants. */
export interface Replicas {
  readonly url: string;
  readonly ledger: PostgresLedger;
  open(options?: PostgresOptions): Promise<PostgresLedger>;
}

/** A test body: makes a database with an empty ledger, runs `test`, and takes everything away whatever happens. */
export function onReplicas(test: (replicas: Replicas) => Promise<void>, options: PostgresOptions = {}) {
  return async (): Promise<void> => {
    const { url, drop } = await createDatabase();
    const opened: PostgresLedger[] = [];
    const open = async (own?: PostgresOptions) => {
      const ledger = await PostgresLedger.open(url, { connections: 4, ...options, ...own });
      opened.push(ledger);
      return ledger;
    };
    try {
      await test({ url, ledger: await open(), open });
    } finally {
      await Promise.all(opened.map((ledger) => ledger.closed()));
      await drop();
    }
  };
}

/** Adds tasks; their ids. */
export async function addMany(ledger: PostgresLedger, n: number, fields: { priority?: 0 | 1 | 2 | 3 | 4 } = {}) {
  const tasks = Array.from({ length: n }, (_, i) => ({ title: `work ${i + 1}`, ...fields }));
  return (await ledger.add(tasks, { actor: "ann", session: "s1" })).map(({ task }) => task.id);
}

/** Values that were given, and errors' codes that were thrown. */
export async function settled<T>(calls: readonly Promise<T>[]): Promise<{ values: T[]; codes: string[] }> {
  const outcomes = await Promise.allSettled(calls);
  return {
    values: outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : [])),
    codes: outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [String(outcome.reason.code ?? outcome.reason)] : [],
    ),
  };
}
