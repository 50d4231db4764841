import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { TEMPLATE } from "../global-setup.ts";

/** One statement as the owner of the cluster. */
export async function query(url: string, text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text, [...values]);
  } finally {
    await client.end();
  }
}

/** A database of a test's own, with an empty ledger in it unless `template` is another. */
export async function createDatabase(template = TEMPLATE): Promise<{ url: string; drop: () => Promise<void> }> {
  const server = inject("postgres");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await query(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(server);
  url.pathname = name;
  if (template === TEMPLATE)
    await query(url.href, "UPDATE alai.head SET ledger = $1", [randomBytes(16).toString("hex")]);
  return { url: url.href, drop: async () => void (await query(server, `DROP DATABASE ${name} WITH (FORCE)`)) };
}
