import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place, sleep } from "../../scripts/harness.ts";
import { Server } from "../../scripts/http-server.ts";
import { login, wordsFor } from "../login/world.ts";
import { rewriteTokens, storedTokens } from "./tokens.ts";

/** The companion server trusts the provider: the sign-in goes to it, and to no other, for as long as a command runs. */

async function signedIn(place: Place, op: Op): Promise<Server> {
  await login(place, wordsFor(op, "--flow=browser", "--scope", "tasks.write"));
  const server = await trusting(place, op);
  await place.ok(["config", "set", "mc.url", server.url]);
  return server;
}

function trusting(place: Place, op: Op, port = 0): Promise<Server> {
  const env = {
    ALAI_AUTH_ISSUER: op.issuer,
    ALAI_AUTH_AUDIENCE: "api://alai",
    ALAI_AUTH_CLOCK_TOLERANCE: "0",
  };
  return Server.start(place, { env, port });
}

describe.each(BUILDS)("$name: the sign-in at the server", { concurrent: true }, (build) => {
  test("tokens of five seconds: calls and a long follow keep working", async () => {
    using place = new Place(build);
    await using op = await Op.start({ life: 5 });
    const server = await signedIn(place, op);
    const { env } = server;
    await place.ok(["mc", "add", "first"], { env });
    const follow = place.start("mc events --follow --json", { env });
    await follow.says(/first/);
    for (let second = 0; second < 12; second += 2) {
      await place.ok("mc list", { env });
      await sleep(2000);
    }
    // It comes back with a token of its own, long after the first one is over.
    await server.kill();
    await trusting(place, op, server.port);
    await sleep(4000);
    await place.ok(["mc", "add", "after a while"], { env });
    await follow.says(/after a while/);
    follow.signal("SIGINT");
    const { stderr } = await follow.ended;
    expect(stderr).not.toMatch(/sign-in|signed|token/i);
    expect(await place.ok("mc list", { env })).toContain("after a while");
    // Sixteen seconds of calls on tokens of five: the sign-in, one refresh by the tenth second, one after the eleventh.
    expect(op.count("POST /token")).toBeGreaterThanOrEqual(3);
  });

  test("a token that the server takes for over: one refresh, one more try", async () => {
    using place = new Place(build);
    const options = { life: 3 };
    await using op = await Op.start(options);
    const { env } = await signedIn(place, op);
    await place.ok(["mc", "add", "first"], { env });
    // A clock that is wrong: the token seems good for an hour. The next one is good for as long as the try with it may take.
    await sleep(3100);
    await rewriteTokens(place, { expiresAt: Date.now() + 3_600_000 });
    options.life = 600;
    const before = op.count("POST /token");
    expect(await place.ok("mc list", { env })).toContain("first");
    expect(op.count("POST /token")).toBe(before + 1);
    expect((await storedTokens(place)).tokens.expiresAt).toBeLessThan(Date.now() + 601_000);
  });

  test("a server that is not the profile's gets no token", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const heard: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      heard.push(request.headers.authorization);
      response.writeHead(401, { "content-type": "application/json" }).end("{}");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    await login(place, wordsFor(op, "--flow=browser"));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const refused = await place.run("mc list", { env: { ALAI_MC_URL: url } });
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining(`alai config set mc.url ${url}`)]);
    expect(refused.stderr).toContain("add mc.url to the profile");
    await place.ok(["config", "set", "mc.url", url]);
    await place.run("mc list", { env: { ALAI_MC_DB: undefined } });
    expect(heard.some((one) => one?.startsWith("Bearer eyJ"))).toBe(true);
    const file = place.file("home/.config/alai/profiles/default.json");
    const document = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...document, mc: { url: "https://mc.example.com" } }));
    await place.run("mc list", { env: { ALAI_MC_URL: url } });
    expect(heard.length).toBeGreaterThan(2);
    expect([heard[0], heard.at(-1)]).toEqual([undefined, undefined]);
    other.closeAllConnections();
    other.close();
  });
});
