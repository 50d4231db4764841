import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { login, startLogin } from "./world.ts";

/** A machine is set up by the first sign-in that succeeds, whatever came before it. */

/** A company that hosts a profile with a service in it. */
async function company() {
  const op = await Op.start();
  const issuer = { issuer: op.issuer, clientId: "alai", scopes: ["tasks.read"] };
  const body = JSON.stringify({ issuer, services: [{ name: "hive", kind: "hive" }] });
  const server = createServer((_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(body),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alai.json`;
  return {
    words: ["login", "--profile-url", url, "--flow=browser", "--insecure-storage"],
    async [Symbol.asyncDispose]() {
      server.close();
      await op[Symbol.asyncDispose]();
    },
  };
}

const AGAIN = ["login", "--flow=browser", "--insecure-storage"];
const SET_UP = /^\w+\thooks\t/m;

describe.each(BUILDS)("$name: the set-up", { concurrent: true }, (build) => {
  test("comes after the first sign-in, and after no other", async () => {
    using place = new Place(build);
    await using acme = await company();
    expect((await login(place, acme.words)).result.stdout).toMatch(SET_UP);
    expect((await login(place, AGAIN)).result.stdout).toBe("");
  });

  test.each(["SIGINT", "SIGKILL"] as const)("comes after one that ended by %s, with the next", async (signal) => {
    using place = new Place(build);
    await using acme = await company();
    const { running } = await startLogin(place, acme.words);
    running.signal(signal);
    await running.ended;
    expect((await login(place, AGAIN)).result.stdout).toMatch(SET_UP);
  });

  test("is left out where it is not wanted, and is done by bootstrap as well", async () => {
    using place = new Place(build);
    await using acme = await company();
    expect((await login(place, [...acme.words, "--sign-in-only"])).result.stdout).toBe("");
    await place.run("bootstrap --insecure-storage");
    expect((await login(place, AGAIN)).result.stdout).toBe("");
  });
});
