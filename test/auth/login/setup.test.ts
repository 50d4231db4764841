import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { clientIdWord, issuerAddress, scopeWords } from "../../../src/auth/issuer-words.ts";
import { command } from "../../../src/commands/login.ts";
import { commandHelp } from "../../../src/kit/help.ts";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { onTerminal } from "../../scripts/terminal.ts";
import { rewriteTokens } from "../sealed/tokens.ts";
import { endedWithin, hasTokens, login, profileFile, signIn, startLogin, type } from "./world.ts";

/** The first run on a machine: three questions at most, or none. */

/** Hosts a document as a company would. */
async function hosted(document: unknown, status = 200) {
  const body = typeof document === "string" ? document : JSON.stringify(document);
  const server = createServer((_, response) =>
    response.writeHead(status, { "content-type": "application/json" }).end(body),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alai.json`;
  return { url, [Symbol.dispose]: () => void server.close() };
}

const issuerOf = (op: Op, more = {}) => ({
  issuer: { issuer: op.issuer, clientId: "alai", scopes: ["openid", "offline_access", "email", "tasks.read"], ...more },
});

test.each([
  [issuerAddress, " ", "The issuer's address is empty."],
  [issuerAddress, "foo", '"foo" is not an issuer\'s address.'],
  [issuerAddress, "http://login.example.com", "The issuer's address is not an https address: http://login.example.com"],
  [clientIdWord, " ", "The client id is empty."],
  [clientIdWord, "two words", '"two words" is not a client id.'],
  [scopeWords, " , ", "The scope is empty."],
  [scopeWords, 'tasks.read a"b', '"a"b" is not a scope.'],
])("%o refuses %j", (read, answer, said) => {
  expect(() => read(answer)).toThrow(said);
});

test("--help says of --timeout what it bounds here", () => {
  const lines = commandHelp(["login"], command).match(/^ *--timeout .*$/gm);
  expect(lines).toEqual([expect.stringContaining("how long you may take to sign in")]);
});

test("spaces around an answer are no part of it; scopes stand between spaces or commas", () => {
  expect(issuerAddress(" https://login.example.com ")).toBe("https://login.example.com");
  expect(clientIdWord(" alai ")).toBe("alai");
  expect(scopeWords(" tasks.read, api://alai/tasks.write ")).toEqual(["tasks.read", "api://alai/tasks.write"]);
});

describe.each(BUILDS)("$name: the first run", { concurrent: true }, (build) => {
  test("asks three questions on a terminal, and none the second time", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const running = onTerminal(place, "alai login --insecure-storage --flow=paste", { input: null });
    for (const [question, wrong, said, answer] of [
      [/The issuer's address/, "foo", /"foo" is not an issuer's address\./, op.issuer],
      [/The client id of alai there/, "", /The client id is empty\./, "alai"],
      [/The scope of your API/, "", /The scope is empty\./, "tasks.read"],
    ] as const) {
      await running.says(question);
      type(running, `${wrong}\r`);
      await running.says(said);
      // What is wrong stays on the line, to be mended; Ctrl-U empties it.
      type(running, `\u0015${answer}\r`);
    }
    const [address = ""] = await running.says(/http:\S+\/auth\?\S+(?=\r?\n)/);
    await running.says(/Paste it here/);
    type(running, `${await signIn({ url: new URL(address) })}\r`);
    expect(await endedWithin(running, 30_000)).toMatchObject({ code: 0 });
    expect(profileFile(place).issuer).toMatchObject({
      kind: "generic",
      issuer: op.issuer,
      clientId: "alai",
      scopes: ["openid", "offline_access", "profile", "email", "tasks.read"],
    });
    const again = onTerminal(place, "alai login --insecure-storage --flow=paste", { input: null });
    await again.says(/Paste it here/);
    expect(again.stdout).not.toContain("issuer's address");
    type(again, "\u0003");
    expect(await endedWithin(again, 20_000)).toMatchObject({ code: 130 });
    expect(await place.json("whoami")).toMatchObject({ subject: "ann" });
  });

  test("off a terminal all flags that are missing are named: 64", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const words = ["login"];
    for (const [said, flags, flag, value] of [
      [
        "The issuer's address, the client id of alai there and the scope of your API are missing.",
        "--issuer URL --client-id ID --scope SCOPE",
        "--issuer",
        op.issuer,
      ],
      [
        "The client id of alai there and the scope of your API are missing.",
        "--client-id ID --scope SCOPE",
        "--client-id",
        "alai",
      ],
      ["The scope of your API is missing.", "--scope SCOPE", "--scope", "tasks.read"],
    ] as const) {
      const { code, stderr } = await place.run(words);
      expect([code, stderr]).toEqual([64, `${said}\nNobody can be asked here; add ${flags}, or --profile-url URL.\n`]);
      words.push(flag, value);
    }
    // All is there; nobody is here to sign in.
    const { code, stderr } = await place.run([...words, "--insecure-storage"]);
    expect([code, stderr]).toEqual([4, expect.stringMatching(/Nobody is here to sign in\.\n.*--with-token.*--flow=/)]);
  });

  test("a flag is refused as an answer is: 64, and nobody is asked", async () => {
    using place = new Place(build);
    const { code, stderr } = await place.run(["login", "--client-id", ""]);
    expect([code, stderr]).toEqual([64, expect.stringMatching(/^The client id is empty\.\nType .*\n$/)]);
  });

  test("takes all of it from what the company hosts, and asks nothing", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const services = [{ name: "hive", kind: "hive", essential: true }];
    using company = await hosted({ ...issuerOf(op), mc: { url: "https://mc.example.com" }, services });
    const words = ["login", "--profile-url", company.url, "--insecure-storage", "--flow=browser"];
    expect((await login(place, words)).result.code).toBe(0);
    expect(profileFile(place)).toMatchObject({ mc: { url: "https://mc.example.com" }, services });
    // A flag changes that one thing, and keeps the rest.
    await login(place, ["login", "--scope", "tasks.write", "--insecure-storage", "--flow=browser"]);
    expect(profileFile(place)).toMatchObject({
      mc: { url: "https://mc.example.com" },
      issuer: { scopes: expect.arrayContaining(["openid", "tasks.write"]) },
    });
    expect(await place.json("auth status")).toMatchObject({ scopes: expect.arrayContaining(["tasks.write"]) });
  });

  test("a document with the API's scope alone signs in for longer than one token; what the issuer has not is not asked", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    using company = await hosted(issuerOf(op, { scopes: ["tasks.read", "email"] }));
    const words = ["login", "--profile-url", company.url, "--insecure-storage", "--flow=browser"];
    const { url } = await login(place, words);
    expect(url.searchParams.get("scope")).toBe("openid offline_access tasks.read email");
    const first = await place.ok("auth token");
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    expect(await place.ok("auth token")).not.toBe(first);
    const metadata = await (await fetch(`${op.issuer}/.well-known/openid-configuration`)).json();
    const body = { ...(metadata as object), scopes_supported: ["openid", "profile"] };
    op.meanwhile = (path) => (path.startsWith("/.well-known/") ? { status: 200, body } : undefined);
    const fewer = await startLogin(place, words);
    expect(fewer.url.searchParams.get("scope")).toBe("openid tasks.read");
    fewer.running.kill();
  });

  test("a document that is wrong: 64 names the key and the address, and no profile is made", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    for (const [document, said] of [
      [{ issuer: { issuer: op.issuer } }, "issuer.clientId is missing."],
      [issuerOf(op, { clientID: "x" }), "issuer.clientID is not known."],
      [{ ...issuerOf(op), ledger: 1 }, "ledger is not known."],
      [issuerOf(op, { scopes: "openid" }), "issuer.scopes is not a list of texts."],
      [issuerOf(op, { redirectPorts: [0] }), "issuer.redirectPorts is not a list of ports."],
      [issuerOf(op, { redirectPath: "callback" }), "issuer.redirectPath is not a path such as /callback."],
      [issuerOf(op, { redirectHost: "0.0.0.0" }), "issuer.redirectHost is none of localhost, 127.0.0.1."],
      [issuerOf(op, { kind: "okta" }), "issuer.kind is none of entra-external, b2c, entra, generic."],
      [issuerOf(op, { discoveryUrl: "http://login.example.com/x" }), "issuer.discoveryUrl is not an https address."],
      [{ ...issuerOf(op), services: [{ name: "a" }, { nam: "b" }] }, "services[1].nam is not known."],
      [{ ...issuerOf(op), mc: { url: "ftp://x" } }, "mc.url is not an https address."],
      [issuerOf(op, { clientId: "a\u001b[31m" }), "issuer.clientId is not a line of text."],
      ["{", "not JSON."],
      ["[]", "the document is not an object."],
    ] as const) {
      using company = await hosted(document);
      const { code, stderr } = await place.run(["login", "--profile-url", company.url]);
      expect([code, stderr]).toEqual([64, expect.stringContaining(said)]);
      expect(stderr).toContain(company.url);
      expect(stderr).not.toContain("\u001b");
    }
    expect(await place.run("whoami")).toMatchObject({ code: 4 });
    expect(() => profileFile(place)).toThrow();
  });

  test("an address without a document", async () => {
    using place = new Place(build);
    using none = await hosted("no", 404);
    using trouble = await hosted("no", 503);
    const codes: (number | null)[] = [];
    for (const url of [none.url, trouble.url, "http://example.com/alai.json", "alai.json"])
      codes.push((await place.run(["login", "--profile-url", url])).code);
    expect(codes).toEqual([64, 69, 64, 64]);
    expect(hasTokens(place)).toBe(false);
  });
});
