import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { freePorts, portOf, taken } from "./ports.ts";
import { keepProfileFile, login, redirectOf, startLogin } from "./world.ts";

/** Issuers that compare ports know a few; each may be taken. */

function withPorts(place: Place, op: Op, redirectPorts: readonly number[], more = {}): void {
  const issuer = { issuer: op.issuer, clientId: "alai", scopes: ["openid", "tasks.read"], redirectPorts, ...more };
  keepProfileFile(place, { issuer });
}

const LOGIN = ["login", "--flow=browser", "--insecure-storage"];

describe.each(BUILDS)("$name: the ports of the callback", (build) => {
  test.concurrent("the first that is free is used", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const [busy, next] = [await taken(), (await freePorts(1))[0] ?? 0];
    withPorts(place, op, [portOf(busy), next]);
    const { url } = await login(place, LOGIN);
    expect(url.searchParams.get("redirect_uri")).toBe(`http://127.0.0.1:${next}/callback`);
    busy.close();
  });

  test.concurrent("a port that somebody has on ::1 alone counts as taken: the browser might go there", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const [busy, next] = [await taken("::1"), (await freePorts(1))[0] ?? 0];
    withPorts(place, op, [portOf(busy), next], { redirectHost: "localhost" });
    const underWay = await startLogin(place, LOGIN);
    expect(redirectOf(underWay).href).toBe(`http://localhost:${next}/callback`);
    busy.close();
  });

  test.concurrent("all are taken: 69 with the remedy, before any browser opens", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const busy = [await taken(), await taken()];
    const ports = busy.map(portOf);
    withPorts(place, op, ports);
    const { code, stderr } = await place.run(LOGIN, { env: { BROWSER: "/bin/false" } });
    const said = `All ports that the issuer knows are taken: ${ports.join(", ")}.\nEnd what uses them, or type alai login --flow=paste.\n`;
    expect([code, stderr]).toEqual([69, said]);
    for (const server of busy) server.close();
  });
});
