import { chmodSync, writeFileSync } from "node:fs";
import { BadInput, type Caller } from "@alai/core";
import { expect, test } from "vitest";
import { Exit } from "../../src/kit/errors.ts";
import { openServer } from "../../src/mc/http/open.ts";
import { folder } from "../core/folder.ts";
import { Faulty, json, NO_TASKS, problemAnswer } from "./faulty.ts";
import { fakeWorld } from "./world.ts";

/** Tokens, and what is said when the server asks for another. */

const ok = json(NO_TASKS);
const TOKEN = "abc.DEF-123";

/** The headers of one `list` with this environment. */
async function headersWith(env: Record<string, string>): Promise<Readonly<Record<string, string>>> {
  await using server = await Faulty.start(ok);
  const ledger = openServer(fakeWorld(env).context, { url: server.url, source: "ALAI_MC_URL" });
  try {
    await ledger.list({});
  } finally {
    ledger.close();
  }
  return server.seen[0]?.headers ?? {};
}

test("the token of ALAI_TOKEN is sent, before that of a file", async () => {
  expect((await headersWith({ ALAI_TOKEN: TOKEN })).authorization).toBe(`Bearer ${TOKEN}`);
  expect((await headersWith({ ALAI_TOKEN: TOKEN, ALAI_TOKEN_FILE: "/nowhere" })).authorization).toBe(`Bearer ${TOKEN}`);
  expect(await headersWith({})).not.toHaveProperty("authorization");
  expect(await headersWith({ ALAI_TOKEN: "" })).not.toHaveProperty("authorization");
});

test("a token file is read for each call, so that a renewed token is used", async () => {
  const temp = folder();
  const file = temp.file("token");
  writeFileSync(file, "first\n", { mode: 0o600 });
  await using server = await Faulty.start(ok);
  const ledger = openServer(fakeWorld({ ALAI_TOKEN_FILE: file }).context, { url: server.url, source: "ALAI_MC_URL" });
  await ledger.list({});
  writeFileSync(file, "second\n");
  await ledger.list({});
  expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(["Bearer first", "Bearer second"]);
  ledger.close();
  temp.remove();
});

test("a token file that others can read, is not there or holds no token is refused, and the token is not said", async () => {
  const temp = folder();
  const file = temp.file("token");
  const refusal = async () => {
    const error = await headersWith({ ALAI_TOKEN_FILE: file }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadInput);
    return error as BadInput;
  };
  expect((await refusal()).message).toContain("cannot be read");
  writeFileSync(file, "se cret\n", { mode: 0o600 });
  const noToken = await refusal();
  expect(noToken.message).toContain("is not a token");
  expect(noToken.message).not.toContain("cret");
  writeFileSync(file, TOKEN);
  for (const mode of [0o640, 0o604, 0o644, 0o660]) {
    chmodSync(file, mode);
    expect(await refusal()).toMatchObject({
      message: expect.stringContaining("read by others"),
      hint: `Type chmod 600 ${file}`,
    });
  }
  chmodSync(file, 0o400);
  expect((await headersWith({ ALAI_TOKEN_FILE: file })).authorization).toBe(`Bearer ${TOKEN}`);
  await expect(headersWith({ ALAI_TOKEN: "a\r\nX-Evil: 1" })).rejects.toBeInstanceOf(BadInput);
  temp.remove();
});

test("a server that answers to its own machine only is not a question of signing in: exit 69, with its hint", async () => {
  await using server = await Faulty.start(problemAnswer(403, "local_only", {}, { hint: "Call it there." }));
  const ledger = openServer(fakeWorld({}).context, { url: server.url, source: "ALAI_MC_URL" });
  const error = await ledger.list({}).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "StoreError", code: "unavailable", hint: "Call it there." });
  expect(server.seen).toHaveLength(1);
  ledger.close();
});

test("sign-in needed, and not allowed, are exit 4 with the code and what to do", async () => {
  const cases: [status: number, code: string, env: Record<string, string>, hint: string][] = [
    [401, "unauthenticated", {}, "Put a token for it into ALAI_TOKEN"],
    [401, "invalid_token", { ALAI_TOKEN: TOKEN }, "Give one that it takes in ALAI_TOKEN"],
    [403, "insufficient_scope", { ALAI_TOKEN: TOKEN }, "Ask for it."],
    [403, "not_your_actor", { ALAI_TOKEN: TOKEN }, "Ask for it."],
  ];
  for (const [status, code, env, hint] of cases) {
    await using server = await Faulty.start(problemAnswer(status, code, {}, { hint: "Ask for it." }));
    const ledger = openServer(fakeWorld(env).context, { url: server.url, source: "ALAI_MC_URL" });
    const error = await ledger.list({}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Exit);
    expect(error).toMatchObject({ exit: 4, code, message: `${server.url}: Detail of ${code}.` });
    expect((error as Exit).hint).toContain(hint);
    expect((error as Exit).hint).not.toContain("login");
    expect(JSON.stringify(error)).not.toContain(TOKEN);
    expect(server.seen).toHaveLength(1);
    ledger.close();
  }
});

test("with a token, an actor that nobody named is left to the token; one that was named is sent", async () => {
  const actorIn = async (env: Record<string, string>) => {
    await using server = await Faulty.start(json({ state: "free" }));
    const { context } = fakeWorld(env);
    const ledger = openServer(context, { url: server.url, source: "ALAI_MC_URL" });
    const me: Caller = context.caller();
    await ledger.leaseStatus([1], me);
    ledger.close();
    const { "alai-actor": actor, "alai-session": session } = server.seen[0]?.headers ?? {};
    return [actor, session];
  };
  expect(await actorIn({})).toEqual(["sys", "s1"]);
  expect(await actorIn({ ALAI_TOKEN: TOKEN })).toEqual([undefined, "s1"]);
  expect(await actorIn({ ALAI_TOKEN: TOKEN, ALAI_ACTOR: "ann" })).toEqual(["ann", "s1"]);
});

test("every call says which program asks, and hands a trace on when it is one", async () => {
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  expect(await headersWith({ TRACEPARENT: trace })).toMatchObject({ "user-agent": "alai/1.2.3", traceparent: trace });
  expect(await headersWith({ TRACEPARENT: "nonsense\r\nX: 1" })).not.toHaveProperty("traceparent");
});

test("an address that would show a token to others, or is none, is a usage error before anything is sent", () => {
  const open = (url: string) => () => openServer(fakeWorld({}).context, { url, source: "ALAI_MC_URL" });
  for (const url of [
    "http://mc.example.com",
    "http://10.0.0.1:8787",
    "http://127.0.0.1.evil.com",
    "http://localhost.evil.com",
    "https://user:secret@mc.example.com",
    "https://user@mc.example.com",
    "ftp://mc.example.com",
    "mc.example.com",
    "",
    "https://",
    "https://mc.example.com/?x=1",
  ])
    expect(open(url), url).toThrow(BadInput);
  expect(open("https://user:secret@mc.example.com")).toThrow(/^(?!.*secret)/);
  for (const url of [
    "https://mc.example.com",
    "https://mc.example.com/alai/",
    "http://127.0.0.1:1",
    "http://127.1.2.3",
    "http://localhost:8787/",
    "http://[::1]:8787",
  ])
    open(url)().close();
});

test("an address with a folder is asked below it", async () => {
  await using server = await Faulty.start(ok);
  const ledger = openServer(fakeWorld({}).context, { url: `${server.url}/alai/`, source: "ALAI_MC_URL" });
  await ledger.list({});
  expect(server.seen[0]?.path).toBe("/alai/tasks?limit=0");
  ledger.close();
});
