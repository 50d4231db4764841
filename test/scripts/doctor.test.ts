import { describe, expect, test } from "vitest";
import { Faulty, hang } from "../client/faulty.ts";
import { BUILDS, Place } from "./harness.ts";
import { Server } from "./http-server.ts";
import { screen } from "./terminal.ts";

/** What the doctors say on a terminal, and of a server. */

interface Check {
  readonly check: string;
  readonly state: string;
  readonly finding: string;
  readonly remedy: string | null;
}

interface Proof {
  readonly check: string;
  readonly expected: number;
  readonly got: number;
  readonly ok: boolean;
  readonly said: string;
}

async function checks(place: Place, env: Record<string, string>): Promise<Check[]> {
  return JSON.parse((await place.run("doctor --json", { env })).stdout) as Check[];
}

describe.each(BUILDS)("$name: doctor", (build) => {
  test("on 80 columns nothing is cut, and no line is wider but for words that are", async () => {
    using place = new Place(build);
    const env = { ALAI_MC_URL: "http://127.0.0.1:9", COLUMNS: "80", NO_COLOR: "1" };
    const { text, code } = await screen(place, "alai doctor", { env });
    expect(code).toBe(1);
    // Said while the server is waited for; it is no part of the page.
    expect(text.replace("waking the server…", "")).not.toContain("…");
    const flat = text.replaceAll(/\s+/g, " ");
    for (const { finding, remedy } of await checks(place, env)) {
      expect(flat).toContain(finding.replaceAll(/\s+/g, " "));
      if (remedy !== null) expect(flat).toContain(`→ ${remedy.replaceAll(/\s+/g, " ")}`);
    }
    for (const line of text.split("\n")) expect(line.length < 80 || !line.trim().includes("  ")).toBe(true);
  });

  test("says who one is signed in as on a server, and what that allows", async () => {
    using place = new Place(build);
    const open = await Server.start(place);
    const signIn = async (env: Record<string, string>) =>
      (await checks(place, env)).filter(({ check }) => check === "sign-in");
    expect(await signIn(open.env)).toEqual([
      {
        check: "sign-in",
        state: "ok",
        finding: "nobody has to sign in there, allowed: tasks.read tasks.write admin",
        remedy: null,
      },
    ]);
    await open.kill();
    const make = (words: string) => place.ok(`token create ${words}`, { env: { ALAI_MC_DB: open.db } });
    const reader = await make("screen --scope tasks.read");
    const writer = await make("ci --scope tasks.write --act-for-others");
    const server = await open.restart();
    const [refused] = await signIn({ ...server.env, ALAI_TOKEN: reader });
    expect(refused).toMatchObject({
      state: "warn",
      finding: expect.stringMatching(
        /^signed in as service\|screen, acts as \S*screen, allowed: tasks\.read; calls name ann /,
      ),
      remedy: expect.stringMatching(/ALAI_ACTOR/),
    });
    // May not read, so the ledger fails; whose token it is says why.
    const found = await checks(place, { ...server.env, ALAI_TOKEN: writer });
    expect(found.find(({ check }) => check === "ledger")).toMatchObject({ state: "fail" });
    expect(found.find(({ check }) => check === "sign-in")?.finding).toMatch(
      /^signed in as service\|ci, acts as \S*ci and may act for others, allowed: tasks\.write$/,
    );
    expect(await signIn({ ...server.env, ALAI_TOKEN: "rubbish" })).toEqual([]);
  });
});

describe.each(BUILDS)("$name: hook doctor", { concurrent: true }, (build) => {
  const prove = async (place: Place, env: Record<string, string>) => {
    const { code, stdout, stderr } = await place.run("hook doctor --json", { env });
    const proofs = JSON.parse(stdout) as Proof[];
    return { code, stderr, here: proofs.find(({ check }) => check.endsWith("answers the gate in time")), proofs };
  };

  test("asks the server that is named, changes nothing there, and shows that one that is away blocks", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    await place.ok("mc add a", { env: server.env });
    await place.ok("hook install");
    const before = await place.ok("mc events", { env: server.env });
    const { code, here, proofs } = await prove(place, server.env);
    expect([code, here]).toMatchObject([0, { check: `${server.url} answers the gate in time`, got: 0, ok: true }]);
    expect(proofs.at(-1)).toMatchObject({ check: "a server that is away blocks", expected: 2, got: 2, ok: true });
    expect(await place.ok("mc events", { env: server.env })).toBe(before);
    expect((await prove(place, {})).here).toBe(undefined);
  });

  test("says what the gate does when the server does not answer: exit 2, in its time", async () => {
    using place = new Place(build);
    await place.ok("hook install");
    await using silent = await Faulty.start(hang);
    for (const url of [silent.url, "http://127.0.0.1:9"]) {
      const { code, stderr, here } = await prove(place, { ALAI_MC_URL: url });
      expect([code, here]).toMatchObject([1, { expected: 0, got: 2, ok: false, said: expect.stringContaining(url) }]);
      expect(stderr).toContain(`failed: ${url} answers the gate in time. The gate blocks the call (exit 2): `);
    }
  });
});
