import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { dice } from "@alai/core/conformance/random-ledger";
import { readMark } from "@alai/core/sqlite/mirror";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { main } from "../../../src/main.ts";
import { defaultMirror } from "../../../src/mc/mirror/place.ts";
import { Faulty, problemAnswer } from "../faulty.ts";
import { quietPort } from "../port.ts";
import { type Served, serve } from "../served.ts";
import { ann, bob, fileRows, Home, inFile, rowsOf, sql, work } from "./bench.ts";

/** `alai mc mirror` and `--offline`, over the real server. */

let home: Home;
let server: Served;
beforeEach(async () => {
  home = new Home();
  server = await serve(home.file("server.db"), { port: await quietPort() });
});
afterEach(async () => {
  await server.close();
  home.remove();
});

const env = () => ({ ALAI_MC_URL: server.url });
const mirrorFile = () => defaultMirror(home.context(), server.url);
const once = (...more: string[]) => home.run(["mc", "mirror", "--once", "--json", ...more], env());
const lines = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A mirror that is kept current in this process. */
function keep(...more: string[]) {
  let out = "";
  let err = "";
  const context = home.context(env(), { out: (text) => (out += text), err: (text) => (err += text) });
  const interval = more.includes("--interval") ? [] : ["--interval", "100ms"];
  const ended = main(["mc", "mirror", "--json", ...interval, ...more], context);
  return {
    ended,
    said: () => lines(out),
    err: () => err,
    async stop(): Promise<number> {
      home.signal("SIGTERM");
      return ended;
    },
  };
}

async function until(what: () => Promise<boolean>, limit = 120_000): Promise<void> {
  const start = Date.now();
  while (!(await what())) {
    if (Date.now() - start > limit) throw new Error(`not within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Mirror and server tell the same, to the letter. */
async function isCurrent(): Promise<boolean> {
  if (!existsSync(mirrorFile())) return false;
  const [mirror, origin] = [await fileRows(mirrorFile()), await rowsOf(server.ledger)];
  return mirror.join("\n") === origin.join("\n");
}

describe("a mirror", () => {
  test("follows 500 random changes, and is the server after each quiet moment", async () => {
    const roll = dice(23);
    const kept = keep();
    for (let round = 0; round < 10; round++) {
      await work(server.ledger, roll, 50);
      await until(isCurrent);
    }
    expect(await kept.stop()).toBe(0);
    const [first, ...others] = kept.said();
    expect(first).toMatchObject({ copied: "there was no mirror yet" });
    expect(others.length).toBeGreaterThan(5);
    for (const step of others) expect(step.copied).toBeNull();
  }, 300_000);

  test("is at every moment the server as it was at one", async () => {
    const roll = dice(5);
    await work(server.ledger, roll, 30);
    const states = new Map<number, string>();
    // Renewals change rows without an event: here nothing is held for long.
    const remember = async () =>
      states.set((await server.ledger.dumpHead()).seq, (await rowsOf(server.ledger)).join("\n"));
    await remember();
    await once();
    const kept = keep();
    let looks = 0;
    for (let i = 0; i < 40; i++) {
      await server.ledger.add([{ title: `t${i}`, tags: ["x"] }], ann);
      await remember();
      await server.ledger.addDependency(1, [(await server.ledger.dumpHead()).rows.task], ann).catch(() => {});
      await remember();
      await new Promise((resolve) => setTimeout(resolve, roll(30)));
      const seen = await fileRows(mirrorFile());
      const events = seen.filter((line) => line.startsWith('{"table":"event"'));
      const { row } = JSON.parse(events.at(-1) ?? "{}") as { row: { seq: number } };
      expect(seen.join("\n")).toBe(states.get(row.seq));
      looks += 1;
    }
    expect(looks).toBe(40);
    await kept.stop();
  }, 300_000);

  test("has leases that were only made longer at the next interval", async () => {
    await server.ledger.add([{ title: "a" }], ann);
    await server.ledger.claim([1], ann, 60_000);
    // The newest event's task is looked at in any case.
    await server.ledger.add([{ title: "b" }], ann);
    const kept = keep();
    await until(isCurrent);
    await server.ledger.extend([1], ann, 600_000);
    await until(isCurrent);
    await kept.stop();
  });

  test("goes on over an outage and a restart of its own, and copies anew only when it must", async () => {
    const roll = dice(8);
    await work(server.ledger, roll, 40);
    const kept = keep("--timeout", "2s");
    await until(isCurrent);
    const port = Number(new URL(server.url).port);
    await server.close();
    await until(async () => kept.err().includes("Trying again"));
    await inFile(home.file("server.db"), (ledger) => work(ledger, roll, 40));
    server = await serve(home.file("server.db"), { port });
    await until(isCurrent);
    expect(kept.err()).toContain("answers again");
    expect(await kept.stop()).toBe(0);
    expect(kept.said().filter((step) => step.copied !== null)).toHaveLength(1);
    await work(server.ledger, roll, 40);
    const [step] = lines((await once()).out);
    expect(step).toMatchObject({ copied: null });
    expect(await isCurrent()).toBe(true);
  }, 300_000);

  test("is stopped while the server is away like any other: exit 0, at once", async () => {
    // Between two tries it would rest for as long.
    const kept = keep("--timeout", "2s", "--interval", "20s");
    await until(isCurrent);
    const file = home.file("server.db");
    await server.close();
    await until(async () => kept.err().includes("Trying again"));
    const start = performance.now();
    expect([await kept.stop(), kept.err()]).toEqual([0, expect.not.stringContaining("bug")]);
    expect(performance.now() - start).toBeLessThan(18_000);
    server = await serve(file);
  });

  test("says each new reason of an outage once, and asks less and less often", async () => {
    const kept = keep("--timeout", "2s");
    await until(isCurrent);
    const port = Number(new URL(server.url).port);
    await server.close();
    await until(async () => kept.err().includes("Nothing answers"));
    const locked = await Faulty.startAt(port, problemAnswer(401, "unauthenticated"));
    await until(async () => kept.err().includes("Detail of unauthenticated"));
    const [asked, start] = [locked.seen.length, performance.now()];
    await new Promise((resolve) => setTimeout(resolve, 3000));
    // The second pause is 100 ms at least, and each twice as long as the one before.
    const most = Math.log2((performance.now() - start) / 100 + 1) + 1;
    expect(locked.seen.length - asked).toBeLessThanOrEqual(most);
    await locked[Symbol.asyncDispose]();
    server = await serve(home.file("server.db"), { port });
    await until(async () => kept.err().includes("answers again"));
    expect(await kept.stop()).toBe(0);
    expect(kept.err().match(/Trying again/g)).toHaveLength(2);
  }, 300_000);

  test("is copied anew when the journal was pruned behind it, and when another program wrote the server's file", async () => {
    await work(server.ledger, dice(2), 60);
    await once();
    await work(server.ledger, dice(3), 40);
    await server.ledger.prune(Date.now() + 1, ann);
    expect(lines((await once()).out)).toMatchObject([{ copied: expect.stringContaining("dropped"), kept: null }]);
    expect(await isCurrent()).toBe(true);
    sql(home.file("server.db"), "INSERT INTO tasks (title) VALUES ('by another program')");
    expect(lines((await once()).out)).toMatchObject([{ copied: expect.stringContaining("does not tell of") }]);
    expect(await isCurrent()).toBe(true);
  });

  test("that knows what the server does not is kept beside", async () => {
    await work(server.ledger, dice(2), 60);
    await home.json(["mc", "export", "--sqlite", "backup.db"], env());
    await server.ledger.add([{ title: "lost with the server" }], ann);
    await once();
    const before = await fileRows(mirrorFile());
    const port = Number(new URL(server.url).port);
    await server.close();
    // From a backup, and then something else happens under the same number.
    server = await serve(home.file("backup.db"), { port });
    await server.ledger.add([{ title: "else" }], bob);
    await server.ledger.add([{ title: "and more" }], bob);
    const [step] = lines((await once()).out);
    expect(step?.copied).toContain("tells something else");
    expect(await fileRows(String(step?.kept))).toEqual(before);
    expect(await isCurrent()).toBe(true);
    await server.close();
    server = await serve(home.file("another.db"), { port });
    await server.ledger.add([{ title: "another ledger" }], bob);
    const [other] = lines((await once()).out);
    expect(other).toMatchObject({ copied: expect.stringContaining("another ledger"), kept: expect.any(String) });
    expect(await isCurrent()).toBe(true);
  });

  test("takes no changes but its keeper's, can be read, and can become a ledger again", async () => {
    await server.ledger.add([{ title: "a" }], ann);
    await once();
    const file = mirrorFile();
    const before = await fileRows(file);
    for (const words of [
      ["add", "x"],
      ["claim", "1"],
      ["edit", "1", "--priority", "1"],
      ["note", "1", "x"],
      ["undo"],
    ]) {
      const { code, err } = await home.run(["mc", ...words, "--db", file]);
      expect({ words, code, err }).toMatchObject({
        code: 69,
        err: expect.stringContaining(`is a mirror of ${server.url}`),
      });
    }
    expect((await home.run(["serve", "--db", file, "--port", "0"])).code).toBe(69);
    await home.run(["mc", "add", "other", "--db", "other.db"]);
    expect((await home.run(["mc", "migrate", "--from", "other.db", "--to", file])).code).not.toBe(0);
    expect(await fileRows(file)).toEqual(before);
    expect((await home.run(["mc", "show", "1", "--db", file])).code).toBe(0);
    expect(await home.json(["mc", "migrate", "--from", file, "--to", "own.db"])).toMatchObject({
      code: 0,
      equal: true,
    });
    expect((await home.run(["mc", "claim", "1", "--db", "own.db"])).code).toBe(0);
  });

  test("never takes the place of a file that is none, or of another server", async () => {
    await home.run(["mc", "add", "x", "--db", "mine.db"]);
    expect((await once("--file", "mine.db")).code).toBe(64);
    expect(await once("--file", "m.db")).toMatchObject({ code: 0 });
    const second = await serve(home.file("second.db"));
    expect((await home.run(["mc", "mirror", "--once", "--file", "m.db"], { ALAI_MC_URL: second.url })).code).toBe(64);
    await second.close();
    expect((await home.run(["mc", "mirror"])).code).toBe(64);
    expect(await once("--file", "missing/m.db")).toMatchObject({
      code: 69,
      err: expect.stringContaining("There is no folder"),
    });
    expect(existsSync(home.file("missing"))).toBe(false);
    expect(readdirSync(home.dir).filter((name) => name.includes(".new"))).toEqual([]);
  });

  test("is kept by one process at a time", async () => {
    const kept = keep();
    await until(isCurrent);
    expect(await once()).toMatchObject({ code: 69, err: expect.stringContaining("Another") });
    await kept.stop();
    expect(await once()).toMatchObject({ code: 0 });
  });

  test("killed at any moment it is whole", async () => {
    const roll = dice(31);
    await work(server.ledger, roll, 100);
    for (let round = 0; round < 4; round++) {
      const child = home.start(["mc", "mirror", "--interval", "100ms"], env());
      const ended = new Promise((resolve) => child.on("close", resolve));
      const end = Date.now() + 800 + roll(1500);
      while (Date.now() < end) {
        await work(server.ledger, roll, 5);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      child.kill("SIGKILL");
      await ended;
      if (existsSync(mirrorFile())) await fileRows(mirrorFile());
    }
    const last = home.start(["mc", "mirror", "--interval", "100ms"], env());
    const code = new Promise((resolve) => last.on("close", resolve));
    await until(isCurrent);
    last.kill("SIGTERM");
    expect(await code).toBe(0);
  }, 300_000);
});

describe("--offline", () => {
  test("reads the mirror while the server is away, says how old it is, and gives what the server gave", async () => {
    await server.ledger.add([{ title: "a" }, { title: "b", blocked_by: [1] }], ann);
    await server.ledger.claim([1], bob, 3_600_000);
    await once();
    const reads = [["list", "--all"], ["show", "2"], ["next"], ["claim-status", "1"], ["events"], ["export"]];
    const asked = [];
    for (const words of reads) asked.push(await home.run(["mc", ...words, "--json"], env()));
    const url = server.url;
    await server.close();
    const gone = await home.run(["mc", "list"], { ALAI_MC_URL: url, ALAI_MC_TIMEOUT: "200ms" });
    expect([gone.code, gone.err]).toEqual([69, expect.stringContaining("`alai mc list --offline`")]);
    for (const [at, words] of reads.entries()) {
      const { code, out, err } = await home.run(["mc", ...words, "--offline", "--json"], { ALAI_MC_URL: url });
      const plain = (text = "") => text.replaceAll(/"seconds_left":\d+/g, "");
      expect({ code, out: plain(out) }).toEqual({ code: asked[at]?.code, out: plain(asked[at]?.out) });
      expect(err).toMatch(/^offline: mirror of http:\/\/127\.0\.0\.1:\d+ as of \d+ (s|min) ago$/m);
    }
    const stats = await home.json(["mc", "stats", "--offline"], { ALAI_MC_URL: url });
    expect(stats).toMatchObject({ total: 2, held: 1, source: `mirror of ${url}` });
    const doctor = await home.run(["doctor"], { ALAI_MC_URL: url, ALAI_MC_TIMEOUT: "200ms" });
    expect(doctor.out).toMatch(/^ok\tmirror\t.*as of \d+ s ago/m);
    sql(
      join(defaultMirror(home.context(), url)),
      `UPDATE alai_meta SET value = json_set(value, '$.at', 0) WHERE key = 'mirror'`,
    );
    expect((await home.run(["doctor"], { ALAI_MC_URL: url, ALAI_MC_TIMEOUT: "200ms" })).out).toMatch(/^warn\tmirror/m);
    expect(readMark(defaultMirror(home.context(), url))?.at).toBe(0);
    server = await serve(home.file("server.db"));
  });

  test("is for reading a server's mirror, and for nothing else", async () => {
    const code = async (...words: string[]) => (await home.run(["mc", ...words, "--offline"], env())).code;
    expect(await code("list")).toBe(69);
    expect(await code("next", "--claim")).toBe(64);
    expect(await code("events", "--follow")).toBe(64);
    for (const verb of [["add", "x"], ["claim", "1"], ["done", "1"], ["import"]]) expect(await code(...verb)).toBe(64);
    expect((await home.run(["mc", "list", "--offline"])).code).toBe(64);
    expect((await home.run(["mc", "list", "--offline", "--db", "x.db"], env())).code).toBe(64);
  });
});
