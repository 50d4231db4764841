import { type IncomingMessage, request } from "node:http";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place, sleep, until } from "../../scripts/harness.ts";
import { endedWithin, hasTokens, login, redirectOf, signIn, startLogin, type UnderWay, wordsFor } from "./world.ts";

/** The page that the browser comes back to: whatever else knocks there changes nothing. */

interface Knock {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly address?: string;
}

function knock(port: string, { method = "GET", path = "/", host, address = "127.0.0.1" }: Knock): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host };
    const asked = request({ method, path, host: address, port, headers }, (answer: IncomingMessage) => {
      answer.resume().on("end", () => resolve(`${answer.statusCode} ${answer.headers["cache-control"]}`));
    });
    asked.on("error", reject).end();
  });
}

function refusedWith(underWay: UnderWay, more: Readonly<Record<string, string>>): URL {
  const url = redirectOf(underWay);
  url.search = new URLSearchParams({ state: underWay.url.searchParams.get("state") ?? "", ...more }).toString();
  return url;
}

describe.each(BUILDS)("$name: the callback", (build) => {
  test.concurrent("anything but the browser's return is refused, and the sign-in goes on", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const underWay = await startLogin(place, wordsFor(op, "--flow=browser"));
    const { port } = redirectOf(underWay);
    const came = await signIn(underWay);
    const path = `${came.pathname}${came.search}`;
    const wrong = path.replace(/state=[^&]+/, "state=another");
    const answers = await Promise.all(
      [
        { path: wrong },
        { path: path.replace(/state=[^&]+&?/, "") },
        { path: "/callback" },
        { path: "/favicon.ico" },
        { path: "/" },
        { path: "//" },
        { path: `http://[/` },
        { path, method: "POST" },
        { path, method: "HEAD" },
        { path, host: `evil.example:${port}` },
        { path, host: "localhost" },
        { path, host: `127.0.0.1:${port}.evil.example` },
      ].map((one) => knock(port, one)),
    );
    const codes = [400, 400, 400, 404, 404, 404, 404, 405, 405, 403, 403, 403];
    expect(answers).toEqual(codes.map((code) => `${code} no-store`));
    expect(hasTokens(place)).toBe(false);
    const page = await fetch(came);
    expect([page.status, page.headers.get("referrer-policy")]).toEqual([200, "no-referrer"]);
    expect((await underWay.running.ended).code).toBe(0);
  });

  test.concurrent("a code of another sign-in, with another state, changes nothing", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const theirs = await startLogin(place, wordsFor(op, "--flow=browser", "--profile", "other"));
    const came = await signIn(theirs);
    // Last, and long enough for one visit on a busy machine: nothing but its end shows that it still waited.
    const mine = await startLogin(place, wordsFor(op, "--flow=browser", "--timeout", "20s"));
    const forged = new URL(`${redirectOf(mine)}${came.search}`);
    const page = await fetch(forged);
    expect([page.status, await page.text()]).toEqual([400, expect.stringContaining("not the sign-in that alai waits")]);
    expect(await mine.running.ended).toMatchObject({ code: 4, stderr: expect.stringContaining("Nobody signed in") });
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("comes on ::1 too, once: the second visit is 410", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const underWay = await startLogin(place, wordsFor(op, "--flow=browser"));
    const came = await signIn(underWay);
    let second = "";
    op.meanwhile = async (path) => {
      if (path === "/token") second = await knock(came.port, { path: `${came.pathname}${came.search}` });
      return undefined;
    };
    const host = `localhost:${came.port}`;
    expect(await knock(came.port, { path: `${came.pathname}${came.search}`, address: "::1", host })).toBe(
      "200 no-store",
    );
    expect((await underWay.running.ended).code).toBe(0);
    expect(second).toBe("410 no-store");
    expect(op.count("POST /token")).toBe(1);
  });

  test.concurrent("a refusal of the issuer is one clean line, whatever is in it", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const evil = `\u001b]0;owned\u0007\u001b[31mred\r\nSigned in as root\u0085\u202e${"x".repeat(20_000)}`;
    const underWay = await startLogin(place, wordsFor(op, "--flow=browser"));
    const url = refusedWith(underWay, {
      iss: op.issuer,
      error: "access_denied",
      error_description: evil.slice(0, 6000),
    });
    const page = await fetch(url);
    expect([page.status, await page.text()]).toEqual([400, expect.not.stringContaining("owned")]);
    const { code, stdout, stderr } = await underWay.running.ended;
    const said = stderr.split("\n").slice(2);
    expect([code, stdout, said.length]).toEqual([4, "", 3]);
    expect(said[0]).toMatch(/^The issuer refused: \\x1b\]0;owned.*… \(access_denied\)\.$/);
    expect(said[0]?.length).toBeLessThan(300);
    expect(stderr).not.toMatch(/[^\n -~…]/);
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("an issuer's own trouble is 69, not a refusal", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const underWay = await startLogin(place, wordsFor(op, "--flow=browser"));
    await fetch(refusedWith(underWay, { iss: op.issuer, error: "temporarily_unavailable" }));
    expect((await underWay.running.ended).code).toBe(69);
    op.meanwhile = (path) => (path === "/token" ? { status: 503, body: {} } : undefined);
    const again = await startLogin(place, wordsFor(op, "--flow=browser"));
    await fetch(await signIn(again));
    const { code, stderr } = await again.running.ended;
    expect([code, stderr]).toEqual([69, expect.stringContaining("has trouble (503)")]);
  });

  test.concurrent("a code that is not good is refused in words, and what was stored stays", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const underWay = await startLogin(place, wordsFor(op, "--flow=browser"));
    await fetch(refusedWith(underWay, { iss: op.issuer, code: "made-up" }));
    const { code, stderr } = await underWay.running.ended;
    expect([code, stderr]).toEqual([4, expect.stringContaining("(invalid_grant).\n")]);
    expect(await place.json("whoami")).toMatchObject({ subject: "ann" });
  });

  test.concurrent("Ctrl-C: 130 at once, nothing is stored", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const { running } = await startLogin(place, wordsFor(op, "--flow=browser"));
      running.signal(signal);
      // It would wait for the person for three minutes.
      expect(await endedWithin(running, 20_000)).toMatchObject({ code: 130 });
      expect(hasTokens(place)).toBe(false);
    }
  });

  test.concurrent("Ctrl-C while the issuer does not answer: 130 at once", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    let asked = false;
    const silent = (at: string) => {
      op.meanwhile = async (path) => {
        if (path === at) {
          asked = true;
          await sleep(20_000);
        }
        return undefined;
      };
    };
    silent("/.well-known/openid-configuration");
    const early = place.start(wordsFor(op, "--flow=browser"));
    await until("it asks the issuer", () => asked);
    early.signal("SIGINT");
    // The issuer would be given up after fifteen seconds.
    expect(await endedWithin(early, 12_000)).toMatchObject({ code: 130 });
    op.meanwhile = null;
    const underWay = await startLogin(place, wordsFor(op, "--flow=browser"));
    silent("/token");
    await fetch(await signIn(underWay));
    underWay.running.signal("SIGINT");
    expect(await endedWithin(underWay.running, 12_000)).toMatchObject({ code: 130 });
    expect(hasTokens(place)).toBe(false);
  });
});
