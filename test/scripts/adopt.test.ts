import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { makeForeign } from "./foreign.ts";
import { BUILDS, Place } from "./harness.ts";
import { onTerminal, screen } from "./terminal.ts";

const THEIRS = "SELECT id, title, status, priority, owner, sprint, blob_of_theirs, created_at FROM tasks ORDER BY id";

function hash(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

describe.each(BUILDS)("$name: adopt", (build) => {
  test("--dry-run prints the plan and touches nothing", async () => {
    using place = new Place(build);
    makeForeign(place.db);
    const before = hash(place.db);
    const text = await place.ok(`mc adopt ${place.db} --dry-run`);
    expect(text).toMatch(/3, 2 open/);
    expect(text).toMatch(/sprint/);
    const plan = await place.json(`mc adopt ${place.db} --dry-run`);
    expect(plan).toMatchObject({ adopted: false, tasks: 3, open: 2, backup: null });
    expect(plan.keep_columns).toEqual(expect.arrayContaining(["sprint", "blob_of_theirs"]));
    expect(hash(place.db)).toBe(before);
    // A reader of a WAL file cannot help making the two files that go with it; there is nothing in them.
    const made = readdirSync(place.dir).filter((name) => !["home", "ledger.db", "ledger.db-shm"].includes(name));
    expect(made.map((name) => [name, statSync(place.file(name)).size])).toEqual([["ledger.db-wal", 0]]);
  });

  test("refuses without --yes where nobody can be asked, and before adoption every verb says what to type", async () => {
    using place = new Place(build);
    makeForeign(place.db);
    const before = hash(place.db);
    const { code, stderr } = await place.run(`mc adopt ${place.db}`);
    expect([code, stderr]).toEqual([64, expect.stringContaining("--yes")]);
    for (const words of ["mc list", "mc claim 1", "mc add x"]) {
      const refused = await place.run(words);
      expect([words, refused.code, refused.stderr]).toEqual([words, 69, expect.stringContaining("alai mc adopt")]);
    }
    expect(hash(place.db)).toBe(before);
  });

  test("--yes adds and rewrites nothing, makes a backup, and the other program goes on", async () => {
    using place = new Place(build);
    makeForeign(place.db);
    const before = place.sql(THEIRS);
    const done = await place.json<{ backup: string }>(`mc adopt ${place.db} --yes --use`);
    expect(done).toMatchObject({ adopted: true, tasks: 3 });
    expect(existsSync(done.backup)).toBe(true);
    expect(place.sql(THEIRS)).toEqual(before);
    expect(await place.ok("config get mc.db", { env: { ALAI_MC_DB: undefined } })).toBe(place.db);
    const tasks = await place.json<object[]>("mc list --sort id");
    expect(tasks).toMatchObject([
      { id: 1, status: "open", priority: 1, priority_raw: "high", extra: { sprint: "14" } },
      { id: 2, status: "open", status_raw: "in_progress" },
    ]);
    place.sql("INSERT INTO tasks (title, status) VALUES ('written by them', 'open')");
    expect(await place.ok("mc claim 4")).toMatch(/^4\t1\tann:s1\t/);
    expect(place.sql("SELECT count(*) AS n FROM their_log")).toEqual([{ n: 4 }]);
    await place.ok("mc claim 1");
    expect(place.sql("SELECT lease_holder FROM tasks WHERE id = 1")).toEqual([{ lease_holder: "ann:s1" }]);
    expect(await place.json(`mc adopt ${place.db}`)).toMatchObject({ adopted: true, backup: null });
  });

  test("what is no ledger is refused and left alone", async () => {
    using place = new Place(build);
    writeFileSync(place.file("text.db"), "this is not a database, it is a text of some length\n".repeat(40));
    makeForeign(place.file("corrupt.db"));
    const bytes = readFileSync(place.file("corrupt.db"));
    writeFileSync(
      place.file("corrupt.db"),
      Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0xee)]),
    );
    for (const name of ["text.db", "corrupt.db", "none.db", "home"]) {
      const before = name.startsWith("t") || name.startsWith("c") ? hash(place.file(name)) : "";
      const { code, stderr } = await place.run(`mc adopt ${name} --yes`);
      expect([name, code]).toEqual([name, 69]);
      expect(stderr).toContain(name);
      if (before) expect([name, hash(place.file(name))]).toEqual([name, before]);
    }
    expect(existsSync(place.file("none.db"))).toBe(false);
  });

  test("asks on a terminal; no is no, yes is yes", async () => {
    using place = new Place(build);
    makeForeign(place.db);
    const before = hash(place.db);
    for (const [answer, code] of [
      ["n", 1],
      ["y", 0],
    ] as const) {
      const asked = onTerminal(place, `alai mc adopt ${place.db}`, { input: null });
      await asked.says(/Adopt .*\?/);
      asked.child.stdin?.write(`${answer}\r`);
      expect([answer, (await asked.ended).code]).toEqual([answer, code]);
      if (answer === "n") expect(hash(place.db)).toBe(before);
    }
    expect(await place.json<object[]>("mc list")).toHaveLength(2);
  });

  test("nobody is asked in CI, by an agent or with --no-input, terminal or not", async () => {
    using place = new Place(build);
    makeForeign(place.db);
    for (const [env, flag] of [
      [{ CI: "1" }, ""],
      [{ CLAUDECODE: "1" }, ""],
      [{ AI_AGENT: "x" }, ""],
      [{}, "--no-input"],
    ] as const) {
      const { code, text } = await screen(place, `alai mc adopt ${place.db} ${flag}`, { env, input: null });
      expect([env, flag, code, text]).toEqual([env, flag, 64, expect.stringContaining("--yes")]);
    }
  });

  test("the first use on a terminal offers it", async () => {
    using place = new Place(build);
    makeForeign(place.db);
    const asked = onTerminal(place, "alai mc list", { input: null });
    await asked.says(/was made by another program/);
    asked.child.stdin?.write("y\r");
    const { code, stdout } = await asked.ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining("second")]);
  });
});
