import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AlertChannel, Host, WatchSpec } from "../../src/dr/manifest/model.ts";
import type { Context } from "../../src/kit/context.ts";
import { openChannels } from "../../src/watch/channels/open.ts";
import { DeadMan } from "../../src/watch/dead-man.ts";
import type { Notice } from "../../src/watch/machine/notice.ts";
import { Prober } from "../../src/watch/probe.ts";
import { readAcks, readKept, recordAcks } from "../../src/watch/store.ts";
import { Watcher, type WatcherOptions } from "../../src/watch/watcher.ts";
import { Slack } from "../doubles/slack.ts";
import { Agent } from "./agent.ts";

/** The whole loop with real agents that are killed, frozen and cut off, and a Slack that goes away. */

const CHANNELS: readonly AlertChannel[] = [
  { kind: "slack-api", name: "ops", secret: "SLACK_BOT_TOKEN", channel: "#ops", directTo: "U0FOUNDER1" },
];
const WATCH: WatchSpec = { interval: 100, misses: 2, escalateAfter: 1500, deadMan: null, channels: CHANNELS };
const PATIENT = { timeout: 40_000, interval: 20 };

let folder: string;
let slack: Slack;
let agent: Agent;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "alai-watch-"));
  [slack, agent] = await Promise.all([Slack.start(), Agent.start()]);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await agent[Symbol.asyncDispose]();
  await slack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function host(): Host {
  const words = { user: "u", os: "linux", databases: "/d", state: "/s" } as const;
  return { name: "anvil", role: "primary", ...words, addresses: agent.addresses, port: agent.port };
}

function makeWatcher(more: Partial<WatcherOptions> = {}) {
  const env = { ALAI_SLACK_API: slack.api, SLACK_BOT_TOKEN: slack.token };
  const onExit = (close: () => unknown) => closers.push(close);
  const context = { env, clock: Date.now, onExit } as unknown as Context;
  const prober = new Prober({}, null);
  onExit(() => prober.close());
  const [told, warned]: [Notice[], string[]] = [[], []];
  const watcher = new Watcher({
    ...{
      folder,
      hosts: [host()],
      known: ["anvil"],
      order: new Map(),
      watch: WATCH,
      prober,
      deadMan: null,
      clock: Date.now,
    },
    channels: openChannels(context, CHANNELS),
    tell: (notice) => told.push(notice),
    warn: (sentence) => warned.push(sentence),
    ...more,
  });
  return { watcher, told, warned, kinds: () => told.map(({ kind }) => kind) };
}

function run(more: Partial<WatcherOptions> = {}) {
  const made = makeWatcher(more);
  const stop = new AbortController();
  const ended = made.watcher.run(stop.signal);
  const end = async () => {
    stop.abort();
    await ended;
  };
  closers.push(end);
  return { ...made, end };
}

/** A watcher in a process of its own, over the same folder. */
function child() {
  const words = [
    join(import.meta.dirname, "fixtures", "watcher.ts"),
    folder,
    String(agent.port),
    slack.api,
    slack.token,
  ];
  const found = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = once(found, "exit");
  const kill = async () => {
    found.kill("SIGKILL");
    await ended;
  };
  closers.push(kill);
  return { kill };
}

const looked = (watcher: Watcher) => watcher.states[0]?.age ?? 0;

describe("a host that", () => {
  test("is killed, for long, and boots again: channel, person, and the end to both", async () => {
    const { kinds, watcher, told } = run();
    await vi.waitFor(() => expect(looked(watcher)).toBeGreaterThan(0), PATIENT);
    await agent.kill();
    await vi.waitFor(() => expect(slack.texts("D0FOUNDER1")).toHaveLength(1), PATIENT);
    await agent.boot();
    await vi.waitFor(() => expect(slack.posted).toHaveLength(4), PATIENT);
    expect(kinds()).toEqual(["down", "escalated", "recovered"]);
    expect(slack.texts("#ops").map((text) => text.split(" ")[0])).toEqual([":red_circle:", ":large_green_circle:"]);
    expect(slack.texts("D0FOUNDER1")[0]).toContain("anvil has been down for");
    expect(slack.texts("D0FOUNDER1")[1]).toContain("anvil answers again. It was down for");
    expect(told[2]?.lasted).toBeGreaterThanOrEqual(1400);
  });

  test("is frozen: its connections stand, and it is down all the same", async () => {
    const prober = new Prober({}, null, 1000);
    closers.push(() => prober.close());
    const { told, watcher } = run({ prober });
    await vi.waitFor(() => expect(looked(watcher)).toBeGreaterThan(0), PATIENT);
    agent.freeze();
    await vi.waitFor(() => expect(told.map(({ kind }) => kind)).toContain("down"), PATIENT);
    expect(told[0]?.paths.map(({ finding }) => finding)).toEqual(["no answer in time", "no answer in time"]);
    agent.thaw();
    await vi.waitFor(() => expect(told.at(-1)?.kind).toBe("recovered"), PATIENT);
  });

  test("loses one of two networks: up, said once, and again when it is back", async () => {
    const { kinds, told, watcher } = run();
    await vi.waitFor(() => expect(looked(watcher)).toBeGreaterThan(0), PATIENT);
    await agent.cut("127.0.0.2");
    await vi.waitFor(() => expect(kinds()).toEqual(["degraded"]), PATIENT);
    const age = looked(watcher);
    await vi.waitFor(() => expect(looked(watcher)).toBeGreaterThan(age + 1000), PATIENT);
    expect(kinds()).toEqual(["degraded"]);
    await agent.mend("127.0.0.2");
    await vi.waitFor(() => expect(kinds()).toEqual(["degraded", "path_back"]), PATIENT);
    expect(told.map(({ path }) => path)).toEqual(["127.0.0.2", "127.0.0.2"]);
  });

  test("answers, and says that its rounds have stopped: down, as one that does not answer", async () => {
    const { told, kinds } = run();
    await agent.says({ status: "stuck" }, [], 503);
    await vi.waitFor(() => expect(kinds()[0]).toBe("down"), PATIENT);
    expect(told[0]?.paths.map(({ finding }) => finding)).toContain("answers 503: its rounds have stopped");
    await vi.waitFor(
      () => expect(slack.texts("#ops")[0]).toContain("anvil is down: its agent has hung since"),
      PATIENT,
    );
    await agent.says({ status: "ok" });
    await vi.waitFor(() => expect(told.at(-1)?.kind).toBe("recovered"), PATIENT);
  });

  test("answers, and says that something is wrong: the channel, a person where a p0 database is in danger, and the end to both", async () => {
    const order = new Map([
      ["ledger", true],
      ["crm", false],
    ]);
    const raised = (...alarms: [string, string][]) =>
      agent.says(
        { status: alarms.length > 0 ? "degraded" : "ok", alarms: [...new Set(alarms.map(([kind]) => kind))] },
        alarms.map(([kind, subject]) => ({ kind, subject, since: 1, sentence: "x" })),
      );
    const { kinds, end } = run({ order });
    await raised(["damaged", "crm"]);
    await vi.waitFor(() => expect(slack.texts("#ops")).toHaveLength(1), PATIENT);
    expect(slack.texts("#ops")[0]).toMatch(
      /^:large_yellow_circle: anvil answers, but is not well since .* UTC: damaged: crm\. Look: alai dr status$/,
    );
    await raised(["damaged", "crm"], ["damaged", "ledger"], ["disk_low", "/data"]);
    await vi.waitFor(() => expect(slack.texts("#ops")).toHaveLength(2), PATIENT);
    expect(slack.texts("#ops")[1]).toContain("UTC: damaged: ledger, crm; disk_low: /data. Look");
    // A restart in between repeats nothing.
    await end();
    const second = run({ order });
    await vi.waitFor(() => expect(slack.texts("D0FOUNDER1")).toHaveLength(1), PATIENT);
    expect(slack.texts("D0FOUNDER1")[0]).toContain("anvil has not been well for");
    await raised();
    await vi.waitFor(() => expect(slack.posted).toHaveLength(5), PATIENT);
    expect([...kinds(), ...second.kinds()]).toEqual(["degraded", "degraded", "escalated", "recovered"]);
    expect(slack.texts("D0FOUNDER1")[1]).toContain("anvil is well again. It was not for");
    expect(slack.texts("#ops")).toHaveLength(3);
  });

  test("is another one, or no agent: it is not the host that is meant", async () => {
    const other = { ...host(), name: "forge" };
    const { watcher } = makeWatcher({ hosts: [other], known: ["forge"] });
    await watcher.once(new AbortController().signal, 20_000);
    expect(watcher.states[0]?.paths["127.0.0.1"]?.finding).toBe("another host answers there, anvil");
    const answers = new Map([
      ["/health 404", "answers 404, not as an agent"],
      ["/health 503", "answers 503, not as an agent"],
      ["/health 200", "answers 200, not as an agent"],
      ["/health 401", "answers, and wants a token"],
    ]);
    for (const [asked, finding] of answers) {
      const status = Number(asked.split(" ")[1]);
      const server = createServer((_, response) => response.writeHead(status).end()).listen(0, "127.0.0.1");
      await new Promise((resolve) => server.once("listening", resolve));
      const prober = new Prober({}, "token");
      const at = { ...host(), addresses: ["127.0.0.1"], port: (server.address() as AddressInfo).port };
      expect((await prober.look(at)).paths[0]).toEqual({ address: "127.0.0.1", answers: status === 401, finding });
      prober.close();
      server.close();
    }
  });
});

describe("a watcher that", () => {
  test("ends and starts again at any moment repeats nothing and forgets nothing", async () => {
    await agent.kill();
    // Each of these ends as soon as it has looked once: what it has not told is left to the next.
    slack.goDown();
    for (let time = 0; time < 4; time++) {
      const { end, watcher } = run();
      await vi.waitFor(() => expect(watcher.states[0]?.signal.misses).toBeGreaterThan(0), PATIENT);
      await end();
    }
    slack.comeBack();
    const { end } = run();
    await vi.waitFor(() => expect(slack.texts("D0FOUNDER1")).toHaveLength(1), PATIENT);
    await end();
    await agent.boot();
    run();
    await vi.waitFor(() => expect(slack.posted).toHaveLength(4), PATIENT);
    expect(slack.texts("#ops").map((text) => text.split(" ")[0])).toEqual([":red_circle:", ":large_green_circle:"]);
  });

  test("is killed again and again while an outage begins and ends: each alert stands in the channel once", async () => {
    /** One that is killed after some time, whatever it does then; half of it is Node itself. */
    const killed = async () => {
      const { kill } = child();
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 800));
      await kill();
    };
    await makeWatcher().watcher.once(new AbortController().signal, 20_000);
    await agent.kill();
    for (let time = 0; time < 5; time++) await killed();
    const { kill } = child();
    await vi.waitFor(() => expect(slack.texts("D0FOUNDER1")).toHaveLength(1), PATIENT);
    await kill();
    await agent.boot();
    for (let time = 0; time < 3; time++) await killed();
    child();
    await vi.waitFor(() => expect(slack.posted).toHaveLength(4), PATIENT);
    expect(slack.texts("#ops").map((text) => text.split(" ")[0])).toEqual([":red_circle:", ":large_green_circle:"]);
    expect(slack.texts("D0FOUNDER1").map((text) => text.split(" ")[0])).toEqual([
      ...[":rotating_light:", ":large_green_circle:"],
    ]);
  });

  test("is told that somebody has it in hand: nobody is told directly until that runs out", async () => {
    const { kinds, told } = run();
    await agent.kill();
    await vi.waitFor(() => expect(kinds()[0]).toBe("down"), PATIENT);
    const incident = told[0]?.incident ?? "";
    recordAcks(folder, [{ id: "1", at: Date.now(), host: "anvil", incident, by: "ann", for: 3000 }]);
    // On a slow machine it may have been escalated before that.
    const since = () => told.slice(told.findIndex(({ kind }) => kind === "acknowledged"));
    await vi.waitFor(() => expect(since().map(({ kind }) => kind)).toEqual(["acknowledged", "escalated"]), PATIENT);
    expect(since()[1]?.lasted).toBeGreaterThanOrEqual((since()[0]?.lasted ?? 0) + 2900);
    await vi.waitFor(() => expect(slack.texts("#ops")).toHaveLength(2), PATIENT);
    expect(slack.texts("#ops")[1]).toContain("ann has the outage of anvil in hand: nobody is told directly for 3 s");
    expect(readAcks(folder, 0).acks.map(({ by }) => by)).toEqual(["ann"]);
  });

  test("cannot write its state goes on, and says so once", async () => {
    const { watcher, warned, kinds } = run();
    await vi.waitFor(() => expect(looked(watcher)).toBeGreaterThan(0), PATIENT);
    rmSync(folder, { recursive: true });
    // A file where the folder was: nothing can be written there, whoever runs this.
    writeFileSync(folder, "");
    await agent.kill();
    await vi.waitFor(() => expect(slack.texts("#ops")).toHaveLength(1), PATIENT);
    expect(kinds()[0]).toBe("down");
    expect(warned.filter((sentence) => sentence.startsWith("the state cannot be kept"))).toHaveLength(1);
  });

  test("finds a state that is none of its own: puts it aside, says so, and watches", async () => {
    writeFileSync(join(folder, "state.json"), '{"version":7}', { mode: 0o600 });
    const { watcher, warned } = makeWatcher();
    await watcher.once(new AbortController().signal, 20_000);
    expect(watcher.states[0]?.signal.lost).toBe(false);
    expect(warned).toEqual([expect.stringContaining("is not the state of a watcher of this version; it is put aside")]);
    expect(readKept(folder)?.version).toBe(1);
    expect(readdirSync(folder).filter((name) => name.startsWith("state.json."))).toHaveLength(1);
  });

  test("looks once: knows after two misses, tells, and leaves no secret in what it keeps", async () => {
    const up = makeWatcher();
    expect(await up.watcher.once(new AbortController().signal, 20_000)).toBe(0);
    expect(up.watcher.states[0]?.signal.lost).toBe(false);
    await agent.kill();
    const down = makeWatcher();
    expect(await down.watcher.once(new AbortController().signal, 20_000)).toBe(0);
    expect(down.watcher.states[0]?.signal.lost).toBe(true);
    expect(slack.texts("#ops")).toHaveLength(1);
    const again = makeWatcher();
    await again.watcher.once(new AbortController().signal, 20_000);
    expect(slack.texts("#ops")).toHaveLength(1);
    const text = readFileSync(join(folder, "state.json"), "utf8");
    expect(text).not.toContain(slack.token);
    expect(readKept(folder)?.deliveries.map(({ state }) => state)).toContain("sent");
  });
});

describe("the dead-man's ping", () => {
  async function pinged() {
    const times: number[] = [];
    const server = createServer((_, response) => {
      times.push(Date.now());
      response.end("OK");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    closers.push(() => server.close());
    const spec = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/uuid`, interval: 600 };
    const deadMan = new DeadMan(spec, {}, () => {});
    closers.push(() => deadMan.close());
    return { times, deadMan };
  }

  test("comes while the loop goes round, and not when it hangs", async () => {
    const { times, deadMan } = await pinged();
    let [hang, hangs] = [false, false];
    const prober = new Prober({}, null);
    closers.push(() => prober.close());
    const look: Prober["look"] = (at) => {
      hangs = hang;
      return hang ? new Promise(() => {}) : prober.look(at);
    };
    const { watcher } = makeWatcher({ deadMan, prober: { look } });
    void watcher.run(new AbortController().signal);
    await vi.waitFor(() => expect(times.length).toBeGreaterThan(2), PATIENT);
    hang = true;
    await vi.waitFor(() => expect(hangs).toBe(true), PATIENT);
    await deadMan.settle();
    const count = times.length;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(times.length).toBe(count);
  });
});
