import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, type Place, Place as Somewhere, sleep, until } from "../../scripts/harness.ts";
import { Server } from "../../scripts/http-server.ts";
import { endedWithin, keepProfileFile, login, profileFile, signIn, startLogin, wordsFor } from "../login/world.ts";
import { rewriteTokens } from "./tokens.ts";

/**
 * An issuer whose answer comes after our own deadlines. It has used the refresh token up by then: whoever does not keep the
 * answer is signed out.
 */

const LATE = 4500;
const EVENT = JSON.stringify({ session_id: "s1", tool_name: "Bash", tool_input: { command: "work on MC #1" } });

/** Signed in with a server that trusts the issuer, with an access token that is over. */
async function longAgo(place: Place, op: Op): Promise<Server> {
  await login(place, wordsFor(op, "--flow=browser", "--scope", "tasks.write"));
  const env = { ALAI_AUTH_ISSUER: op.issuer, ALAI_AUTH_AUDIENCE: "api://alai", ALAI_AUTH_CLOCK_TOLERANCE: "0" };
  const server = await Server.start(place, { env });
  keepProfileFile(place, { ...profileFile(place), mc: { url: server.url } });
  await place.ok(["mc", "add", "first"], { env: server.env });
  await rewriteTokens(place, { expiresAt: Date.now() - 1 });
  op.late = LATE;
  return server;
}

async function stillSignedIn(place: Place, op: Op): Promise<void> {
  op.late = 0;
  expect(await place.run("whoami")).toMatchObject({ code: 0, stderr: "" });
  await rewriteTokens(place, { expiresAt: Date.now() - 1 });
  expect(await place.run("whoami")).toMatchObject({ code: 0, stderr: "" });
}

describe.each(BUILDS)("$name: an issuer that answers late", { concurrent: true }, (build) => {
  test("the claim gate blocks in its time, and the sign-in is renewed without it", async () => {
    using place = new Somewhere(build);
    await using op = await Op.start();
    const { env } = await longAgo(place, op);
    op.late = 2 * LATE;
    const before = op.count("POST /token");
    const blocked = await Promise.all([1, 2].map(() => place.run("hook claim-gate", { env, input: EVENT })));
    for (const { code, stderr, ms } of blocked) {
      expect([code, stderr]).toEqual([2, expect.stringMatching(/being renewed|no answer after/)]);
      // It answers within two seconds; the rest is a busy machine. Whoever waited for the issuer would need longer.
      expect(ms).toBeLessThan(2 * LATE - 500);
    }
    await until("it is being renewed", () => op.count("POST /token") > before);
    await sleep(2 * LATE);
    expect(op.count("POST /token")).toBe(before + 1);
    await stillSignedIn(place, op);
    expect(await place.run("hook claim-gate", { env, input: EVENT })).toMatchObject({ code: 0, stderr: "" });
  });

  test("the claim gate waits for an issuer that is quick", async () => {
    using place = new Somewhere(build);
    await using op = await Op.start();
    const { env } = await longAgo(place, op);
    op.late = 0;
    const gate = () => place.run("hook claim-gate", { env, input: EVENT });
    // On a machine that is loaded its time may be over before the renewal has even started; the next call has the token.
    const [first, second] = [await gate(), await gate()];
    expect([first.code, second.code]).toContain(0);
  });

  test("alai start says that there is no answer, and keeps what comes", async () => {
    using place = new Somewhere(build);
    await using op = await Op.start();
    await longAgo(place, op);
    const { stdout } = await place.run("start");
    expect(stdout).toMatch(/down\tsign-in\t.*no answer within 3 s/);
    await stillSignedIn(place, op);
  });

  test("Ctrl-C in alai start", async () => {
    using place = new Somewhere(build);
    await using op = await Op.start();
    await longAgo(place, op);
    const before = op.count("POST /token");
    const running = place.start("start");
    await until("it renews", () => op.count("POST /token") > before);
    running.signal("SIGINT");
    expect(await endedWithin(running, 20_000)).not.toBeNull();
    await stillSignedIn(place, op);
  });

  test("Ctrl-C in alai login, while the issuer makes tokens: the sign-in before it holds", async () => {
    using place = new Somewhere(build);
    await using op = await Op.start();
    await longAgo(place, op);
    const before = op.count("POST /token");
    const underWay = await startLogin(place, ["login", "--flow=browser", "--insecure-storage"]);
    const page = fetch(await signIn(underWay)).catch(() => {});
    await until("it asks for tokens", () => op.count("POST /token") > before);
    underWay.running.signal("SIGINT");
    expect(await endedWithin(underWay.running, LATE - 500)).toMatchObject({ code: 130 });
    await page;
    await stillSignedIn(place, op);
  });
});
