import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { Slack } from "../doubles/slack.ts";
import { BUILDS, type Build, Place } from "../scripts/harness.ts";
import type { Running } from "../scripts/running.ts";
import { Agent } from "./agent.ts";

/** `alai watch` as it is started: from the sources, and once from each build. */

const SOURCES: Build = {
  name: "sources",
  command: [process.execPath, "--", join(import.meta.dirname, "..", "..", "bin", "alai.ts")],
};
const PATIENT = { timeout: 60_000, interval: 50 };

interface Made extends AsyncDisposable {
  readonly place: Place;
  readonly slack: Slack;
  readonly agent: Agent;
}

async function make(build: Build, channel?: string): Promise<Made> {
  const [slack, agent] = await Promise.all([Slack.start(), Agent.start()]);
  const place = new Place(build);
  Object.assign(place.env, {
    ALAI_SLACK_API: slack.api,
    SLACK_BOT_TOKEN: slack.token,
    SLACK_WEBHOOK: slack.webhook,
    ALAI_DR_MANIFEST: place.file("dr.manifest.yaml"),
  });
  const api = '{ kind: slack-api, name: ops, secret: SLACK_BOT_TOKEN, channel: "#ops", direct-to: U0FOUNDER1 }';
  writeFileSync(place.file("dr.manifest.yaml"), manifest(agent, channel ?? api));
  const close = async () => {
    place[Symbol.dispose]();
    await Promise.all([agent[Symbol.asyncDispose](), slack[Symbol.asyncDispose]()]);
  };
  return { place, slack, agent, [Symbol.asyncDispose]: close };
}

function manifest({ addresses, port }: Agent, channel: string): string {
  const paths = addresses.join(", ");
  return `hosts:
  - { name: anvil, role: primary, user: u, os: linux, databases: /nowhere/db, state: /nowhere/state, addresses: [${paths}], port: ${port} }
storage: { type: file, path: /nowhere/storage }
tiers:
  - { name: p1, retention: 72h, sync-interval: 1s, heartbeat: 60s, rpo: 2m }
databases: []
watch:
  interval: 5s
  misses: 1
  escalate-after: 4s
  channels:
    - ${channel}
`;
}

const stateFile = (place: Place) => place.file("home/.local/share/alai/watch/state.json");

async function stopped(running: Running): Promise<number | null> {
  running.signal("SIGTERM");
  return (await running.ended).code;
}

describe.concurrent.each(BUILDS)("$name:", (build) => {
  test("a host goes down and comes back: told, acknowledged, shown, and nothing secret anywhere", async () => {
    await using made = await make(build);
    const { place, slack, agent } = made;
    expect((await place.run("watch status")).code).toBe(69);
    expect(await place.run("watch ack")).toMatchObject({ code: 1, stderr: expect.stringContaining("No host is down") });
    const up = await place.run("watch --once");
    expect([up.code, up.stdout, up.stderr]).toEqual([0, expect.stringMatching(/^anvil\tup\t.*✓ 127\.0\.0\.1/), ""]);

    const watcher = place.start("watch --json", { input: null });
    await agent.kill();
    await watcher.says(/"event":"down"/, 60_000);
    const status = await place.run("watch status --json");
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout)[0]).toMatchObject({
      host: "anvil",
      state: "down",
      escalated: expect.any(Boolean),
    });
    expect(JSON.parse(await place.ok("watch ack anvil --for 1h --by ann --json"))).toMatchObject({ by: "ann" });
    expect((await place.run("watch ack forge")).code).toBe(3);
    await watcher.says(/"event":"acknowledged"/, 60_000);
    const shown = await place.run("watch status");
    expect(shown.stdout).toContain("acknowledged by ann, escalates in");
    const other = await place.run("watch --once");
    expect([other.code, other.stderr]).toEqual([69, expect.stringContaining("Another `alai watch`")]);
    await agent.boot();
    await watcher.says(/"event":"recovered"/, 60_000);
    await vi.waitFor(() => expect(slack.texts("#ops")).toHaveLength(3), PATIENT);
    expect(await stopped(watcher)).toBe(0);

    for (const line of watcher.stdout.trim().split("\n"))
      expect(JSON.parse(line)).toMatchObject({ host: "anvil", text: expect.stringContaining("anvil") });
    expect(slack.texts("#ops").map((text) => text.split(" ")[0])).toEqual([
      ...[":red_circle:", ":speech_balloon:", ":large_green_circle:"],
    ]);
    const folder = place.file("home/.local/share/alai/watch");
    const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
    for (const text of [...texts, watcher.stdout, watcher.stderr, shown.stdout])
      expect(text).not.toContain(slack.token);
    expect(statSync(stateFile(place)).mode & 0o777).toBe(0o600);
  });

  test("nothing of it is read without a manifest, and a channel without its secret is said", async () => {
    await using made = await make(build);
    const { place } = made;
    for (const words of ["watch --once", "watch status", "watch ack"])
      expect((await place.run(words, { env: { ALAI_DR_MANIFEST: "nowhere.yaml" } })).code).toBe(3);
    const { code, stderr } = await place.run("watch --once", { env: { SLACK_BOT_TOKEN: undefined } });
    expect([code, stderr]).toEqual([4, expect.stringContaining("The environment variable SLACK_BOT_TOKEN")]);
    expect(await place.run("watch --once --host forge")).toMatchObject({ code: 3 });
  });
});

test("a webhook whose answer is lost after it took the message: told again, and said so; its address is nowhere", async () => {
  await using made = await make(SOURCES, "{ kind: slack-webhook, name: hook, secret: SLACK_WEBHOOK }");
  const { place, slack, agent } = made;
  await agent.kill();
  slack.cutAfterTaking = 1;
  const watcher = place.start("watch", { input: null });
  await vi.waitFor(() => expect(slack.posted.length).toBeGreaterThanOrEqual(2), PATIENT);
  expect(slack.texts()[1]).toContain("(sent again: whether it arrived the first time is not known)");
  expect(watcher.stderr).toContain("alai: anvil is down: no answer since");
  for (const text of [watcher.stderr, readFileSync(stateFile(place), "utf8")]) expect(text).not.toContain("XXXX");

  // A channel more, while it runs and the host is down: it is told, and the other is not told again.
  const api = '- { kind: slack-api, name: ops, secret: SLACK_BOT_TOKEN, channel: "#ops" }';
  const isDown = (text: string) => text.includes("is down");
  const told = slack.texts("webhook").filter(isDown).length;
  const file = place.file("dr.manifest.yaml");
  writeFileSync(file, `${readFileSync(file, "utf8")}    ${api}\n`);
  await vi.waitFor(() => expect(slack.texts("#ops").length).toBeGreaterThan(0), PATIENT);
  expect(slack.texts("#ops")[0]).toContain("anvil is down: no answer since");
  expect(watcher.stderr).toContain("the manifest has changed, and is in force");
  await stopped(watcher);
  expect(slack.texts("webhook").filter(isDown)).toHaveLength(told);
});

describe("render", () => {
  test("a workflow: only the names of secrets, every limit in it and on stderr, private addresses by Tailscale", async () => {
    await using made = await make(SOURCES);
    const { place } = made;
    const { code, stdout, stderr } = await place.run("watch render --github --out alai-watch.yml");
    expect([code, stdout]).toEqual([0, ""]);
    const text = readFileSync(place.file("alai-watch.yml"), "utf8");
    for (const said of [text, stderr]) {
      expect(said).toContain("every five minutes at best");
      expect(said).toContain("dropped");
      expect(said).toContain("60 days");
      expect(said).toContain("whole minutes");
    }
    expect(text).not.toContain(made.slack.token);
    const workflow = parse(text) as {
      on: { schedule: { cron: string }[] };
      jobs: { watch: { env: Record<string, string>; steps: { run?: string; uses?: string; env?: object }[] } };
    };
    expect(workflow.on.schedule).toEqual([{ cron: "2/5 * * * *" }]);
    const { env, steps } = workflow.jobs.watch;
    expect(env.ALAI_DR_MANIFEST).toBe("dr.manifest.yaml");
    const looking = steps.find(({ run }) => run === "alai watch --once");
    expect(looking?.env).toEqual({ SLACK_BOT_TOKEN: ["$", "{{ secrets.SLACK_BOT_TOKEN }}"].join("") });
    expect(steps.some(({ uses }) => uses?.startsWith("tailscale/github-action@"))).toBe(true);
    const vault = manifest(made.agent, '{ kind: slack-webhook, name: hook, secret: "bw://Slack/webhook" }');
    writeFileSync(place.file("dr.manifest.yaml"), vault);
    const without = await place.run("watch render --github");
    expect(without.stdout).toContain("The secret of hook is in the vault, which is not here");
    expect(without.stderr).toContain("hook");
  });

  test("units: absolute paths, no secret, XML and systemd words escaped", async () => {
    await using made = await make(SOURCES);
    const { place } = made;
    const odd = place.file("a & b%.yaml");
    writeFileSync(odd, readFileSync(place.file("dr.manifest.yaml")));
    const systemd = await place.ok(["watch", "render", "--systemd", "--user", "ann", "--manifest", odd]);
    expect(systemd).toContain("User=ann");
    // A daemon's PATH has no folder of a person's.
    expect(systemd).toMatch(/^ExecStart="?\/.*alai.* watch --manifest /m);
    expect(systemd).toContain(` watch --manifest "${odd.replace("%", "%%")}"`);
    const launchd = await place.ok(["watch", "render", "--launchd", "--user", "ann", "--manifest", odd]);
    expect(launchd).toContain(`<string>${odd.replace("&", "&amp;")}</string>`);
    expect(launchd).toContain("<key>UserName</key>\n  <string>ann</string>");
    expect((await place.run("watch render --systemd --github")).code).toBe(64);
    expect((await place.run("watch render")).code).toBe(64);
    writeFileSync(place.file("mine"), "mine");
    for (const name of ["mine", "unit", "unit"]) {
      const { code } = await place.run(["watch", "render", "--container", "--out", name]);
      expect([name, code]).toEqual([name, name === "mine" ? 1 : 0]);
    }
    expect(readFileSync(place.file("mine"), "utf8")).toBe("mine");
  });
});
