import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { parseProfile } from "../../src/auth/parse-profile.ts";
import type { Context } from "../../src/kit/context.ts";
import { answers, vaultServer } from "../../src/morning/answers.ts";
import { lookAt } from "../../src/morning/look.ts";
import { subjectsOf } from "../../src/morning/subjects.ts";

/** `alai start` says ok only of what has answered as what it is. */

const ANSWERS: Readonly<Record<string, readonly [status: number, body: string]>> = {
  "/health": [200, "fine"],
  "/private": [401, "sign in"],
  "/broken": [503, ""],
  "/model/api/tags": [200, '{"models":[{},{}]}'],
  "/page/api/tags": [200, "<html>"],
  "/listless/api/tags": [200, '{"models":7}'],
  "/closed/api/tags": [401, '{"models":[]}'],
  "/vault/api/config": [200, '{"version":"2026.9.0"}'],
  "/page/api/config": [200, "<html>"],
  "/null/api/config": [200, "null"],
};

test("a service, a model endpoint and a vault's server: ok is what answers as it should", async () => {
  const server = createServer(({ url = "" }, response) => {
    const [status, body] = ANSWERS[url] ?? [404, ""];
    response.writeHead(status).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const context = { env: {} } as Context;
  const subject = (name: string, ask: ReturnType<typeof answers>) => ({ name, kind: "", essential: false, ask });
  const looks = await lookAt(context, [
    ...["health", "private", "broken", "gone"].map((name) => subject(name, answers("host", `${base}/${name}`))),
    ...["model", "page", "listless", "closed", "gone"].map((name) =>
      subject(`models: ${name}`, answers("model", `${base}/${name}/`)),
    ),
    ...["vault", "page", "null", "gone"].map((name) => subject(`vault: ${name}`, vaultServer(`${base}/${name}`))),
    subject("nobody", vaultServer("http://127.0.0.1:9")),
  ]);
  server.close();
  expect(looks.map(({ name, state, finding }) => `${name}: ${state}, ${finding.replaceAll(base, "")}`)).toEqual([
    "health: ok, answers 200",
    "private: ok, answers 401",
    "broken: down, answers 503",
    "gone: down, answers 404",
    "models: model: ok, 2 models",
    "models: page: down, answers 200, not as a model endpoint",
    "models: listless: down, answers 200, not as a model endpoint",
    "models: closed: down, answers 401, not as a model endpoint",
    "models: gone: down, answers 404, not as a model endpoint",
    "vault: vault: ok, answers as 2026.9.0",
    "vault: page: down, /page answers 200, not as a vault's server",
    "vault: null: down, /null answers 200, not as a vault's server",
    "vault: gone: down, /gone answers 404, not as a vault's server",
    "nobody: down, http://127.0.0.1:9: nothing listens there",
  ]);
});

test("the profile says whether the ledger and the vault are essential", () => {
  const essential = (more: object) => {
    const issuer = { issuer: "https://login.example.com", clientId: "alai" };
    const subjects = subjectsOf(parseProfile(JSON.stringify({ issuer, ...more }), "p", "here"));
    return subjects.filter((subject) => subject.essential).map(({ name }) => name);
  };
  const [mc, secrets] = [{ url: "https://mc.example.com" }, { server: "eu" }];
  expect(essential({})).toEqual(["sign-in", "ledger"]);
  expect(essential({ mc, secrets })).toEqual(["sign-in", "ledger"]);
  expect(essential({ mc: { ...mc, essential: false }, secrets: { ...secrets, essential: true } })).toEqual([
    "sign-in",
    "vault",
  ]);
  expect(() => essential({ secrets: { ...secrets, essential: "yes" } })).toThrow(/secrets\.essential/);
});
