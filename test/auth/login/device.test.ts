import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { Person } from "../../doubles/person.ts";
import { BUILDS, type Place, Place as TestPlace } from "../../scripts/harness.ts";
import type { Running } from "../../scripts/running.ts";
import { endedWithin, hasTokens, saysOnStderr, wordsFor } from "./world.ts";

/** A code for a browser of any other machine. The provider asks for 5 s between questions, so these tests take some. */

async function startDevice(place: Place, op: Op): Promise<{ running: Running; page: string; code: string }> {
  const running = place.start(wordsFor(op, "--flow=device"), { env: { BROWSER: place.file("never-started") } });
  const [, page = "", code = ""] = await saysOnStderr(running, /Open (\S+) in any browser and type this code: (\S+)\n/);
  return { running, page, code };
}

/** Answers the next question for the token with an error of the protocol, once. */
function answerOnce(op: Op, error: string): void {
  op.meanwhile = (path) => {
    if (path !== "/token") return undefined;
    op.meanwhile = null;
    return { status: 400, body: { error } };
  };
}

describe.each(BUILDS)("$name: the device flow", (build) => {
  test.concurrent("a person types the code in elsewhere; slow_down is obeyed", async () => {
    using place = new TestPlace(build);
    await using op = await Op.start();
    answerOnce(op, "slow_down");
    const { running, page, code } = await startDevice(place, op);
    const start = performance.now();
    await new Person("ann").enterCode(page, code);
    const { code: exit, stderr } = await running.ended;
    expect([exit, stderr]).toEqual([0, expect.stringContaining("Signed in as ann@example.com")]);
    // 5 s to the first question, then 5 more than before.
    expect(performance.now() - start).toBeGreaterThan(14_000);
    expect(op.count("POST /token")).toBe(2);
    expect(await place.json("auth status")).toMatchObject({ flow: "device", signed_in: true });
  });

  test.concurrent("a person says no: exit 4", async () => {
    using place = new TestPlace(build);
    await using op = await Op.start();
    const { running, page, code } = await startDevice(place, op);
    await new Person("ann").enterCode(page, code, false);
    const { code: exit, stderr } = await running.ended;
    expect([exit, stderr]).toEqual([4, expect.stringContaining("(access_denied).\nSomebody pressed Cancel")]);
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("a code that nobody typed in in time: exit 4 says so", async () => {
    using place = new TestPlace(build);
    await using op = await Op.start({ codeLife: 2 });
    const { code, stderr } = await (await startDevice(place, op)).running.ended;
    expect([code, stderr]).toEqual([
      4,
      expect.stringContaining("(expired_token).\nThe code was not typed in in time."),
    ]);
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("Ctrl-C: 130 at once, nothing is stored", async () => {
    using place = new TestPlace(build);
    await using op = await Op.start();
    const { running } = await startDevice(place, op);
    running.signal("SIGINT");
    expect(await endedWithin(running, 20_000)).toMatchObject({ code: 130 });
    expect(hasTokens(place)).toBe(false);
    expect(op.count("POST /token")).toBe(0);
  });

  test.concurrent("an issuer without device codes: 64, with the ways it has", async () => {
    using place = new TestPlace(build);
    await using op = await Op.start();
    const metadata = {
      issuer: op.issuer,
      authorization_endpoint: `${op.issuer}/auth`,
      token_endpoint: `${op.issuer}/token`,
    };
    op.meanwhile = (path) => (path.startsWith("/.well-known") ? { status: 200, body: metadata } : undefined);
    const { code, stderr } = await place.run(wordsFor(op, "--flow=device"));
    expect([code, stderr]).toEqual([64, "This issuer has no device codes.\nType --flow=browser or --flow=paste.\n"]);
  });
});
