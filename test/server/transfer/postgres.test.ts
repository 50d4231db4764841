import { copyFileSync } from "node:fs";
import { dice } from "@alai/core/conformance/random-ledger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { ann, fileRows, Home, inFile, makeBusyLedger, rowsOf, work } from "../../client/transfer/bench.ts";
import { createDatabase, query } from "../postgres/database.ts";

/** `alai mc migrate --to postgres://…`: the company's ledger straight into a database. */

let home: Home;
let database: Awaited<ReturnType<typeof createDatabase>>;
let written = true;
beforeAll(async () => {
  home = new Home();
  database = await createDatabase();
  const ledger = await PostgresLedger.open(database.url, { notify: false });
  written = await ledger.dumpHead().then(
    () => true,
    (error: Error) => error.message !== "not yet",
  );
  await ledger.closed();
  await makeBusyLedger(home.file("template.db"), dice(7));
}, 300_000);
afterAll(async () => {
  await database.drop();
  home.remove();
});

describe("migrate into Postgres", () => {
  test("moves everything, twice adds nothing, carries forward, names what was tampered with", async (context) => {
    if (!written) return context.skip("PostgresLedger cannot be copied yet");
    const source = home.file("source.db");
    copyFileSync(home.file("template.db"), source);
    const migrate = () => home.json(["mc", "migrate", "--from", source, "--to", database.url]);
    const there = async () => {
      const ledger = await PostgresLedger.open(database.url, { notify: false });
      try {
        return await rowsOf(ledger);
      } finally {
        await ledger.closed();
      }
    };
    const first = await migrate();
    expect(first).toMatchObject({ code: 0, equal: true });
    expect(JSON.stringify(first)).not.toContain("alai:alai");
    expect(await there()).toEqual(await fileRows(source));
    expect(await migrate()).toMatchObject({ code: 0, equal: true, added: 0, changed: 0, removed: 0 });
    await inFile(source, async (ledger) => {
      await ledger.edit([5000], { title: "edited" }, ann);
      await ledger.removeDependency(70, [71], ann);
      await work(ledger, dice(5), 100);
    });
    expect(await migrate()).toMatchObject({ code: 0, equal: true });
    expect(await there()).toEqual(await fileRows(source));
    await query(database.url, "UPDATE alai.tasks SET title = 'forged' WHERE id = 4711");
    expect(await migrate()).toMatchObject({ code: 1, equal: false, differences: ["task 4711: different"] });
  }, 300_000);
});
