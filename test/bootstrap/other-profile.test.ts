import { describe, expect, test } from "vitest";
import { keepProfileFile } from "../auth/login/world.ts";
import { Op } from "../doubles/op.ts";
import { BUILDS, Place } from "../scripts/harness.ts";
import { Server } from "../scripts/http-server.ts";

/** A profile that is not the one in use: its own sign-in goes to its own ledger, and what this machine says instead is told. */

const SECRET = "secret-secret-secret";
/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9";
const SLOW = /no answer|in time|not answered/;

interface Line {
  readonly name?: string;
  readonly step?: string;
  readonly state: string;
  readonly finding: string;
}

/** A token of the environment, of somebody else. */
function robot(): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part({ sub: "robot" })}.c2lnbmF0dXJl`;
}

/** A machine with two profiles, where only the one that is not in use is signed in. */
async function setUp(build: (typeof BUILDS)[number]) {
  const place = new Place(build);
  const op = await Op.start();
  const server = await Server.start(place, {
    env: { ALAI_AUTH_ISSUER: op.issuer, ALAI_AUTH_AUDIENCE: "api://alai" },
  });
  const issuer = { issuer: op.issuer, clientId: "ci", scopes: ["tasks.read", "tasks.write"] };
  keepProfileFile(place, { issuer });
  keepProfileFile(place, { issuer, mc: { url: server.url } }, "other");
  await place.ok("login --profile other --client-secret --insecure-storage", { input: SECRET });
  await place.ok("config set profile default");
  /** The lines of a command by their names. A busy machine may not answer in the three seconds of `start`: asked again then. */
  const lines = async (words: string, env: Readonly<Record<string, string>> = {}) => {
    let all: Line[] = [];
    for (let times = 0; times === 0 || (times < 20 && all.some(({ finding }) => SLOW.test(finding))); times++)
      all = JSON.parse((await place.run(`${words} --json`, { env: { ALAI_MC_DB: "", ...env } })).stdout);
    return Object.fromEntries(all.map((line) => [line.name ?? line.step, [line.state, line.finding]]));
  };
  const dispose = async () => {
    await server.kill();
    await op[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  };
  return { place, server, lines, [Symbol.asyncDispose]: dispose };
}

describe.each(BUILDS)("$name: another profile", { concurrent: true, timeout: 300_000 }, (build) => {
  test("start: its sign-in and its ledger are looked at, and not what is in use", async () => {
    await using setting = await setUp(build);
    const { place, server, lines } = setting;
    const env = { ALAI_TOKEN: robot() };
    const names = `; the profile names ${server.url}`;
    const other = await lines("start --profile other", env);
    expect(other["sign-in"]).toEqual(["ok", "ci (profile other)"]);
    expect(other.ledger).toEqual([
      "ok",
      `${server.url}: 0 open, 0 held, as the profile says; commands here do not use it before alai bootstrap`,
    ]);
    const inUse = await lines("start", env);
    expect(inUse["sign-in"]).toEqual(["ok", "robot (ALAI_TOKEN)"]);
    expect(inUse.ledger?.[1]).toMatch(/ledger\.db: 0 open, 0 held$/);
    // What this machine says itself wins, and that they differ is told, whether it answers or not.
    const file = await lines("start --profile other", { ALAI_MC_DB: place.db });
    expect(file.ledger).toEqual(["ok", `${place.db}: 0 open, 0 held, as ALAI_MC_DB says${names}`]);
    await place.ok(["config", "set", "mc.url", NOWHERE]);
    const away = await lines("start --profile other");
    expect(away.ledger).toEqual(["down", expect.stringContaining(`, as your setting mc.url says${names}.`)]);
    await place.ok(["config", "set", "mc.url", `${server.url}/`]);
    expect((await lines("start --profile other")).ledger).toEqual(["ok", `${server.url}/: 0 open, 0 held`]);
  });

  test("bootstrap: its ledger is asked with its sign-in, and another one of this machine is told", async () => {
    await using setting = await setUp(build);
    const { place, server, lines } = setting;
    const words = "bootstrap --headless --insecure-storage --profile other";
    const first = await lines(words);
    expect(Object.keys(first)[0]).toBe("profile");
    expect(first.profile).toEqual(["done", expect.stringMatching(/^other, of 127\.0\.0\.1:\d+: now the one in use$/)]);
    expect(first.ledger).toEqual(["done", expect.stringMatching(/, 0 tasks$/)]);
    const second = await lines(words);
    expect(second.profile).toEqual(["ok", expect.stringMatching(/^other, of 127\.0\.0\.1:\d+$/)]);
    expect(second.ledger).toEqual(["ok", expect.stringMatching(/, 0 tasks$/)]);
    const names = `; the profile names ${server.url}`;
    const file = await lines(words, { ALAI_MC_DB: place.db });
    expect(file.ledger).toEqual(["ok", `${place.db}, 0 tasks, as ALAI_MC_DB says${names}`]);
    await place.ok(["config", "set", "mc.url", NOWHERE]);
    expect((await lines(words)).ledger).toEqual([
      "failed",
      expect.stringContaining(`, as your setting mc.url says${names}.`),
    ]);
  });
});
