import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isServiceToken } from "../../../server/src/auth/service/token.ts";
import { createContext } from "../../../src/kit/context.ts";
import { main } from "../../../src/main.ts";
import { PostgresServer } from "../../postgres/server.ts";

/** `alai token` and `alai audit`, as they are typed. */

let postgres: PostgresServer;
let databases = 0;
let folder: string;
/** The flag that says where the store is. */
let where: string[];

beforeAll(async () => {
  postgres = await PostgresServer.start();
});
afterAll(() => postgres.remove());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-commands-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function alai(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
  const context = createContext({
    io: {
      out(text: string) {
        out += text;
      },
      err(text: string) {
        err += text;
      },
      stdoutIsTty: false,
      stderrIsTty: false,
      stdinIsTty: false,
      columns: 80,
      readStdin: async () => "",
    } as unknown as Parameters<typeof createContext>[0]["io"],
    env: {
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_CACHE_HOME: folder,
      ALAI_ACTOR: "ann@example.com",
    },
    platform: "linux",
    cwd: folder,
    version: "0.0.0",
    self: ["alai"],
    onSignal: () => () => {},
  });
  const code = await main([...words, ...where], context);
  return { code, out, err };
}

describe.each(["file", "Postgres"])("on a %s", (kind) => {
  beforeEach(async () => {
    where =
      kind === "file"
        ? ["--db", join(folder, "ledger.db")]
        : ["--database-url", await postgres.createDatabase(`commands${++databases}`)];
  });

  test("a token is made on an empty store, printed once, listed without itself, and revoked", async () => {
    const made = await alai(
      "token",
      "create",
      "ci",
      "--scope",
      "tasks.read",
      "--scope",
      "tasks.write",
      "--actor",
      "robot",
      "--expires",
      "90d",
    );
    // A mistyped path must not quietly become an empty ledger.
    const announced = kind === "file" ? `alai: new, empty ledger ${join(folder, "ledger.db")}\n` : "";
    expect(made).toMatchObject({ code: 0, err: `${announced}alai: the token ci is not shown again\n` });
    expect(isServiceToken(made.out.trimEnd())).toBe(true);

    const listed = await alai("token", "list", "--json");
    expect(listed.out).not.toContain(made.out.trim().slice(8, 30));
    expect(JSON.parse(listed.out)).toMatchObject([
      {
        name: "ci",
        actor: "service~robot",
        act_for_others: false,
        scopes: ["tasks.read", "tasks.write"],
        state: "active",
        revoked_at: null,
      },
    ]);
    expect((await alai("token", "list")).out).toMatch(
      /^ci\tactive\tservice~robot\ttasks\.read tasks\.write\t\d{4}-.*\t\n$/,
    );

    expect(await alai("token", "create", "ci", "--scope", "admin")).toMatchObject({ code: 1, out: "" });
    expect(await alai("token", "revoke", "ci")).toEqual({ code: 0, out: "", err: "" });
    expect(await alai("token", "revoke", "ci")).toEqual({
      code: 0,
      out: "",
      err: expect.stringMatching(/^alai: the token ci was revoked already, at \d{4}-.+Z\n$/),
    });
    expect(await alai("token", "revoke", "other")).toMatchObject({ code: 3 });
    expect((await alai("token", "list")).out).toMatch(/^ci\trevoked\t/);
  });

  test("what was done is in the audit, which holds; nobody's e-mail address is", async () => {
    const { out } = await alai("token", "create", "ci", "--scope", "admin", "--act-for-others", "--json");
    expect(JSON.parse(out)).toMatchObject({ name: "ci", actor: "service~ci", act_for_others: true, expires_at: null });
    await alai("token", "revoke", "ci");
    const lines = (await alai("audit", "list")).out.split("\n");
    expect(lines[0]).toMatch(/^1\t\S+Z\tok\ttoken\.create\tlocal\|\[email [0-9a-f]{12}\]\t\tci$/);
    expect(lines[1]).toMatch(/^2\t.*token\.revoke/);
    const verified = await alai("audit", "verify");
    expect(verified).toMatchObject({ code: 0, err: "" });
    expect(verified.out).toMatch(/^2\t[0-9a-f]{64}\n$/);
    const head = verified.out.trim().split("\t")[1] ?? "";
    await alai("token", "create", "next", "--scope", "tasks.read");
    expect(JSON.parse((await alai("audit", "verify", "--head", head, "--json")).out)).toMatchObject({
      ok: true,
      count: 3,
    });
    expect((await alai("audit", "verify", "--head", `${"0".repeat(63)}1`)).code).toBe(1);
    expect(JSON.parse((await alai("audit", "list", "--after", "2", "--json=seq,action")).out)).toEqual([
      { seq: 3, action: "token.create" },
    ]);
    expect((await alai("audit", "list", "--limit", "1", "--json=seq")).out).toBe('[{"seq":3}]\n');
  });
});

describe("on a file", () => {
  beforeEach(() => {
    where = ["--db", join(folder, "ledger.db")];
  });

  test("a changed entry is named, with exit 1", async () => {
    for (const name of ["a", "b", "c"]) await alai("token", "create", name, "--scope", "tasks.read");
    const db = new DatabaseSync(join(folder, "ledger.db"));
    db.exec("DROP TRIGGER alai_audit_no_update; UPDATE alai_audit SET target = 'x' WHERE seq = 2");
    db.close();
    const { code, out, err } = await alai("audit", "verify");
    expect([code, out.split("\t")[0]]).toEqual([1, "1"]);
    expect(err).toMatch(/does not hold at entry 2/);
  });

  test.each([
    [["token", "create", "ci"], /would allow nothing/],
    [["token", "create", "a b", "--scope", "admin"], /not a token's name/],
    [["token", "create", "ci", "--scope", "root"], /not a scope/],
    [["token", "create", "ci", "--scope", "admin", "--actor", "a:b"], /not allowed/],
    [["token", "create", "ci", "--scope", "admin", "--expires", "soon"], /length of time/],
    [["token", "create", "ci", "--scope", "admin", "--expires", "0s"], /good for no time/],
    [["audit", "verify", "--head", "abc"], /no hash/],
    [["audit", "list", "--database-url", "postgres://x"], /contradict/],
  ])("alai %j is a usage error", async (words, message) => {
    const { code, out, err } = await alai(...words);
    expect([code, out]).toEqual([64, ""]);
    expect(err).toMatch(message);
  });

  test("reading a store that is not there makes none", async () => {
    for (const line of ["token list", "token revoke ci", "audit list", "audit verify"])
      expect((await alai(...line.split(" "))).code).toBe(69);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("alai serve that cannot start", () => {
  beforeEach(() => {
    where = [];
  });

  test.each([
    [["--port", "0", "--db", ""], 64, "--db is empty.\nType --db FILE, or leave it out.\n"],
    [["--port", "abc"], 64, '"abc" is not a port.\nType a whole number from 0 to 65535.\n'],
    [["--port", "99999"], 64, '"99999" is not a port.\nType a whole number from 0 to 65535.\n'],
  ])("%j", async (words, code, err) => {
    expect(await alai("serve", ...words)).toEqual({ code, out: "", err });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder in the place of the ledger", async () => {
    const { code, err } = await alai("serve", "--port", "0", "--db", folder);
    expect([code, err]).toEqual([69, `${folder} is not a regular file.\nName an SQLite file with --db FILE.\n`]);
  });
});

test("a file that is not there is no ledger to migrate from: a usage error that names it", async () => {
  where = [];
  const { code, err } = await alai("mc", "migrate", "--from", "gone.db", "--to", "new.db");
  expect([code, err]).toEqual([64, `There is no ledger ${join(folder, "gone.db")}.\nCorrect the path of --from.\n`]);
  expect(readdirSync(folder)).toEqual([]);
});

test("every variable that the server reads is in the help", async () => {
  where = [];
  const { out } = await alai("help", "environment");
  for (const page of ["server", "security"]) {
    const settings = readFileSync(join(import.meta.dirname, `../../../docs/${page}.md`), "utf8").match(SETTING) ?? [];
    expect(settings.length).toBeGreaterThan(2);
    for (const name of settings.map((row) => row.replace(/^\| `|`$/gm, ""))) expect(out).toContain(name);
  }
});

/** The first column of a table of settings. */
const SETTING = /^\| `[A-Z][A-Z_]+[A-Z]`/gm;
