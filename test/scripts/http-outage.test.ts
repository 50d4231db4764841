import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { answer, bytes, Faulty, hang, json, NO_TASKS, problemAnswer } from "../client/faulty.ts";
import { BOB, BUILDS, inTime, Place, sleep } from "./harness.ts";
import { Server } from "./http-server.ts";
import { onTerminal, screen } from "./terminal.ts";

/** A server that is not there, asleep, wrong or hostile, as a user of the program sees it. */

/** Time for an answer on a busy machine; what is asked again to the end takes as long. */
const HASTE = { ALAI_MC_TIMEOUT: "2500ms" };
/** Far longer than a test may take: what ends sooner did not wait for it. */
const PATIENT = { ALAI_MC_TIMEOUT: "10m" };
const at = ({ url }: { url: string }, more: Record<string, string> = {}) => ({ env: { ALAI_MC_URL: url, ...more } });

// Its tests wait, so several run at once; those below that look at the clock closely do not.
describe.each(BUILDS)("$name: a server that", { concurrent: true }, (build) => {
  test("is not there is exit 69 within seconds, and the file is never used instead", async () => {
    using place = new Place(build);
    await place.add("a");
    const before = place.fingerprint();
    const { code, stdout, stderr, ms } = await place.run("mc list", at({ url: "http://127.0.0.1:9" }));
    expect([code, stdout]).toEqual([69, ""]);
    expect(stderr).toMatch(/^Nothing answers at http:\/\/127\.0\.0\.1:9 \(ALAI_MC_URL\): .+\n.+address\.\n$/);
    // Nobody there is given up sooner than a server that is slow, and a person would wait for that one for a minute.
    expect(ms).toBeLessThan(30_000);
    const json = await place.run("mc add x --json", at({ url: "http://127.0.0.1:9" }, HASTE));
    expect(JSON.parse(json.stderr).error).toMatchObject({ code: "unavailable" });
    expect(place.fingerprint()).toBe(before);
  });

  test("hangs: given up after --timeout, ALAI_MC_TIMEOUT or mc.timeout; a lost change is said to be unknown", async () => {
    using place = new Place(build);
    await using server = await Faulty.start(hang);
    await place.ok("config set mc.timeout 10m");
    for (const [words, env] of [
      ["mc list --timeout 300ms", PATIENT],
      ["--timeout 300ms mc list", PATIENT],
      ["mc list", { ALAI_MC_TIMEOUT: "300ms" }],
    ] as const) {
      const { code, stderr, ms } = await place.run(words, at(server, env));
      expect([words, code, stderr]).toEqual([words, 69, expect.stringContaining("did not answer within 300 ms")]);
      expect(ms).toBeLessThan(30_000);
    }
    await place.ok("config set mc.timeout 300ms");
    expect((await place.run("mc add x", at(server))).stderr).toContain("Whether the change was made is not known");
    expect((await place.run("mc wait 1 --timeout 1h", at(server))).code).toBe(69);
  });

  test("wakes slowly: said on a terminal only", async () => {
    using place = new Place(build);
    let wake = () => {};
    await using server = await Faulty.start(
      (request, socket) => {
        wake = () => json(NO_TASKS)(request, socket);
      },
      (request, socket) => setTimeout(() => json(NO_TASKS)(request, socket), 2600),
    );
    const onScreen = onTerminal(place, "alai mc list", at(server));
    await onScreen.says(/waking the server…/);
    wake();
    expect((await onScreen.ended).code).toBe(0);
    const piped = await place.run("mc list", at(server));
    expect([piped.code, piped.stdout, piped.stderr]).toEqual([0, "", ""]);
  });

  test("hangs, and Ctrl-C is pressed: exit 130, also where the command takes signals itself", async () => {
    using place = new Place(build);
    await using server = await Faulty.start(hang);
    for (const words of ["mc list", "mc claim 1 --wait 1m", "mc run 1 -- true", "mc events --follow"]) {
      const started = onTerminal(place, `trap : INT; alai ${words}; echo code $?`, {
        ...at(server, PATIENT),
        input: null,
      });
      await started.says(/waking/);
      await sleep(100);
      started.child.stdin?.write("\u0003");
      await started.says(/code 130/);
      started.child.stdin?.end();
      const { ms } = await started.ended;
      expect(ms).toBeLessThan(50_000);
    }
  });

  test("is no alai server, or one that wants a token: said with what to do", async () => {
    using place = new Place(build);
    const cases = [
      [answer(200, { "content-type": "text/html" }, "<html>"), 69, /is not an alai server/],
      [bytes("nonsense\r\n\r\n"), 69, /./],
      [answer(302, { location: "https://elsewhere.example/" }, ""), 69, /sends on to https:\/\/elsewhere.example\//],
      [problemAnswer(401, "unauthenticated"), 4, /ALAI_TOKEN/],
      [problemAnswer(403, "insufficient_scope", {}, { hint: "Ask." }), 4, /Detail of insufficient_scope\.\nAsk\./],
      [problemAnswer(500, "bug", {}, { request_id: "r7" }), 70, /request r7/],
      [problemAnswer(404, "no_route"), 69, /\nIs its version older/],
      [problemAnswer(503, "disk_full"), 69, /Detail of disk_full/],
      [problemAnswer(409, "fenced", {}, { task: 1 }), 5, /Detail of fenced/],
      [problemAnswer(404, "not_found", {}, { task: 1 }), 3, /Detail of not_found/],
      [problemAnswer(409, "held", {}, { task: 1 }), 1, /Detail of held/],
      [problemAnswer(400, "bad_input"), 64, /Detail of bad_input/],
    ] as const;
    for (const [behaviour, wanted, words] of cases) {
      await using server = await Faulty.start(behaviour);
      const { code, stdout, stderr } = await place.run("mc list", at(server, HASTE));
      expect([code, stdout, stderr]).toEqual([wanted, "", expect.stringMatching(words)]);
    }
  });

  test("sends characters that a terminal obeys: they are printed, not obeyed", async () => {
    using place = new Place(build);
    const evil = "\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e";
    const task = { id: 1, title: evil, status: evil, status_raw: null, priority: 2, priority_raw: null };
    const rest = { project: evil, owner: evil, tags: [evil], due: null, blocked_by: [], lease_state: "held" };
    const held = { lease_holder: evil, lease_until: 4e12 };
    const reply = { tasks: [{ ...task, ...rest, ...held }], cut: false, next: null };
    const grant = {
      id: 1,
      title: evil,
      holder: evil,
      fence: 1,
      until: 4e12,
      ttl: 1000,
      idempotent: false,
      previous: null,
    };
    for (const [behaviour, words] of [
      [json(reply), "mc list"],
      [json(grant), "mc claim 1"],
      [problemAnswer(409, "held", {}, { detail: evil, hint: evil, lease: { holder: evil } }), "mc claim 1"],
      [problemAnswer(401, "unauthenticated", {}, { detail: evil, hint: evil }), "mc list"],
      [answer(200, { "content-type": evil.replaceAll(/[\u0080-\uffff]/g, "") }, "x"), "mc list"],
    ] as const)
      for (const flag of ["", " --json", " -q"]) {
        await using server = await Faulty.start(behaviour);
        const { text } = await screen(place, `alai ${words}${flag}`, at(server, HASTE));
        expect([words, flag, text]).toEqual([
          words,
          flag,
          expect.not.stringMatching(/[\u0007\u009b\u202e]|\u001b[\]]|\u001b\[2J/),
        ]);
      }
  });
});

describe.each(BUILDS)("$name: the address of the server", { concurrent: true }, (build) => {
  test("that is not https, has credentials or is none is exit 64, in one sentence, before anything is sent", async () => {
    using place = new Place(build);
    for (const url of ["http://mc.example.com", "https://ann:secret@mc.example.com", "mc.example.com", "ssh://x"]) {
      const { code, stdout, stderr } = await place.run("mc list", at({ url }));
      expect([url, code, stdout]).toEqual([url, 64, ""]);
      expect(stderr.trimEnd().split("\n")).toHaveLength(2);
      expect(stderr).toMatch(/^ALAI_MC_URL: /);
      expect(stderr).not.toContain("secret");
      const set = await place.run(["config", "set", "mc.url", url]);
      expect([url, set.code]).toEqual([url, 64]);
    }
    await place.ok("config set mc.url https://mc.example.com");
    expect(await place.ok("config get mc.url", { env: { ALAI_MC_URL: undefined } })).toBe("https://mc.example.com");
    mkdirSync(dirname(place.configFile), { recursive: true });
    writeFileSync(place.configFile, JSON.stringify({ mc: { url: "http://mc.example.com" } }));
    const { code, stderr } = await place.run("mc list", { env: { ALAI_MC_DB: undefined } });
    expect([code, stderr]).toEqual([64, expect.stringContaining("mc.url in ")]);
  });

  test("that has a path, where no server is: the path may be what is wrong; a wrong ALAI_MC_TIMEOUT is named", async () => {
    using place = new Place(build);
    await using server = await Faulty.start(problemAnswer(404, "no_route"));
    const { code, stderr } = await place.run("mc list", at({ url: `${server.url}/foo` }));
    expect([code, stderr]).toEqual([69, expect.stringContaining("The path /foo of ALAI_MC_URL may be what is wrong")]);
    const soon = await place.run("mc list", at(server, { ALAI_MC_TIMEOUT: "soon" }));
    expect([soon.code, soon.stderr]).toEqual([64, expect.stringMatching(/^ALAI_MC_TIMEOUT: "soon" is not a length/)]);
  });

  test("in the settings is used, and --db and ALAI_MC_DB are as before", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok(`config set mc.url ${server.url}`);
    await place.add("local");
    const settings = { env: { ALAI_MC_DB: undefined } };
    await place.ok("mc add remote", settings);
    expect(await place.ok("mc list --json=title", settings)).toBe('[{"title":"remote"}]');
    expect(await place.ok("mc list --json=title")).toBe('[{"title":"local"}]');
    expect(await place.ok(["mc", "list", "--json=title", "--db", place.db], { env: server.env })).toBe(
      '[{"title":"local"}]',
    );
    expect(await place.ok("mc stats --json=store,source", settings)).toContain(`${server.url} (`);
  });

  test("is looked at by doctor: who answers, how its clock goes, or what is wrong", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    const checks = async (env: Record<string, string>) => {
      const { stdout } = await place.run("doctor --json", { env });
      return (JSON.parse(stdout) as { check: string; state: string; finding: string; remedy: string | null }[]).filter(
        ({ check }) => check === "ledger",
      );
    };
    const [found, clock] = await checks(server.env);
    expect(found).toMatchObject({
      state: "ok",
      finding: expect.stringMatching(/sqlite, schema \d+, 1 tasks, answered in/),
    });
    expect(clock).toMatchObject({ state: "ok" });
    expect(await checks({ ALAI_MC_URL: "http://127.0.0.1:9" })).toMatchObject([
      {
        state: "fail",
        finding: expect.stringContaining("Nothing answers"),
        remedy: expect.stringContaining("Check that the server runs"),
      },
    ]);
    expect(await checks({ ALAI_MC_URL: "http://mc.example.com" })).toMatchObject([{ state: "fail" }]);
  });
});

describe.each(BUILDS)("$name: news of the server", (build) => {
  test("wake mc events --follow, mc wait and claim --wait at once", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    const mine = { env: server.env };
    const bob = { env: { ...server.env, ...BOB } };
    for (const title of ["a", "b"]) await place.ok(["mc", "add", title], mine);
    await place.ok("mc claim 1 2", bob);
    const follow = place.start("mc events --follow --json", mine);
    await follow.says(/"acquired"/);
    const wait = place.start("mc wait 1", mine);
    const claim = place.start("mc claim 2 --wait 1m", mine);
    await place.settle(server.env);
    const start = performance.now();
    await place.ok("mc claim-release 1 2", bob);
    await follow.says(/"released"/);
    expect((await wait.ended).code).toBe(0);
    expect((await claim.ended).code).toBe(0);
    // Not when the question for news ends by itself, which is after 25 s.
    expect(performance.now() - start).toBeLessThan(12_000);
    follow.signal("SIGINT");
    expect((await follow.ended).code).toBe(130);
  });
});

describe.each(BUILDS)("$name: the gate asks the server", (build) => {
  const event = (command: string) =>
    JSON.stringify({ hook_event_name: "PreToolUse", session_id: "s1", tool_name: "Bash", tool_input: { command } });
  const gate = (place: Place, env: Record<string, string>, command: string) =>
    place.run("hook claim-gate", { env, input: event(command) });
  const answered = (...words: Parameters<typeof gate>) => inTime(() => gate(...words));

  test("held by another blocks; free, unknown, mine and approved pass; mine is renewed", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    const { env } = server;
    const bob = { env: { ...env, ...BOB } };
    for (const title of ["a", "b", "c"]) await place.ok(["mc", "add", title], { env });
    await place.ok("mc claim 1 --ttl 20s", { env });
    await place.ok("mc claim 2", bob);
    const end = async () => (await place.json<{ until: string }>("mc claim-status 1", { env })).until;
    const before = await end();
    const passes = await answered(place, env, "work on MC #1, mc 3 and mc 777");
    expect([passes.code, passes.stderr]).toEqual([0, ""]);
    expect((await end()) > before).toBe(true);
    const blocked = await answered(place, env, "work on MC #1, mc 777 and mc 2");
    expect([blocked.code, blocked.stderr]).toEqual([2, expect.stringMatching(/^Task 2 held by bob:s2 until .*\n$/)]);
    await place.ok("mc approve 2 --reason away --for 1h", {
      env: { ...env, ALAI_ACTOR: "boss", ALAI_SESSION: "desk" },
    });
    expect((await answered(place, env, "mc 2")).code).toBe(0);
  });

  test("no answer blocks, in time, with one line that names the server", async () => {
    using place = new Place(build);
    await using silent = await Faulty.start(hang);
    const plain = await gate(place, {}, "ls");
    for (const url of [silent.url, "http://127.0.0.1:9", "http://mc.example.com"]) {
      const { code, stderr, ms } = await gate(place, { ALAI_MC_URL: url }, "mc 1");
      expect([url, code, stderr]).toEqual([url, 2, expect.stringMatching(/^[^\n]+\n$/)]);
      // What is promised, and slack for a busy machine. One that waited for what hangs would never end.
      expect(ms).toBeLessThan(4 * (2000 + plain.ms));
    }
  });
});
