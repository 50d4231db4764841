import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writePrimary } from "../../../src/dr/epoch.ts";
import type { StorageSpec } from "../../../src/dr/manifest/model.ts";
import type { Storage, StorageError } from "../../../src/dr/storage/storage.ts";
import { fakeWorld } from "../../client/world.ts";
import type { Behaviour, Gate, Passage } from "../gate.ts";
import { type Kind, type KindName, openAt, openNew, startKind } from "./kinds.ts";

/** Longer than any machine of ours needs; shorter than a deadline that would not end. */
const SOON = 20_000;

describe.each<KindName>(["Azure", "S3"])("%s that misbehaves", (name) => {
  let kind: Kind;
  let gate: Gate;
  beforeAll(async () => {
    kind = await startKind(name);
    gate = kind.gate as Gate;
  });
  afterEach(() => gate.reset());
  afterAll(() => kind.stop());

  /** The first so many requests are treated so, the others well. */
  function first(count: number, behaviour: Behaviour): void {
    let left = count;
    gate.behave = () => (left-- > 0 ? behaviour : null);
  }
  const always = (behaviour: Behaviour) => first(Number.POSITIVE_INFINITY, behaviour);

  async function withBlob(deadline = SOON): Promise<Storage> {
    const spec = await kind.spec();
    await (await openAt(kind, spec)).write("x", Buffer.from("hello"));
    gate.reset();
    return openAt(kind, spec, { deadline });
  }

  const calls: readonly (readonly [string, (storage: Storage) => Promise<unknown>])[] = [
    ["list", (storage) => storage.list("")],
    ["read", (storage) => storage.read("x")],
    ["stream", (storage) => buffer(storage.stream("x"))],
    ["write", (storage) => storage.write("y", Buffer.from("new"))],
    ["write under a condition", (storage) => storage.write("z", Buffer.from("new"), { etag: null })],
    ["remove", (storage) => storage.remove("x")],
  ];

  it.each(calls)("%s: a server that takes the request and is silent is given up in time", async (_, call) => {
    const storage = await withBlob(700);
    always({ silent: true });
    const began = performance.now();
    await expect(call(storage)).rejects.toMatchObject({
      trouble: "slow",
      exit: 69,
      message: expect.stringMatching(/did not answer/),
    });
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(600);
    expect(took).toBeLessThan(SOON);
    storage.close();
  });

  it.each(calls)("%s: refused is not missing, and no secret is in what is said", async (_, call) => {
    const storage = await withBlob();
    always({ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" });
    const error = await call(storage).then(
      () => ({ message: "", hint: "" }),
      (caught: StorageError) => caught,
    );
    expect(error).toMatchObject({
      trouble: "refused",
      exit: 4,
      message: expect.stringMatching(/refuses these credentials \(403/),
    });
    for (const secret of Object.values(kind.env)) expect(`${error.message} ${error.hint}`).not.toContain(secret);
    expect(gate.passed).toHaveLength(1);
  });

  it("wrong keys are refused by the real rules of signing", async () => {
    const wrong = Object.fromEntries(
      Object.entries(kind.env).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
    );
    const storage = await openAt(kind, await kind.spec(), { deadline: SOON }, wrong);
    await expect(storage.list("")).rejects.toMatchObject({ trouble: "refused" });
    await expect(storage.write("x", Buffer.from("x"))).rejects.toMatchObject({ trouble: "refused" });
    await expect(storage.read("x")).rejects.toMatchObject({ trouble: "refused" });
  });

  it.each([
    [429, "slow", /asks for fewer requests \(429/],
    [503, "slow", /asks for fewer requests \(503/],
    [507, "full", /no room left \(507/],
    [500, "failed", /answered 500/],
    [418, "failed", /answered 418/],
  ])("%i is %s", async (status, trouble, message) => {
    const storage = await withBlob();
    always({ status });
    await expect(storage.write("x", Buffer.from("y"))).rejects.toMatchObject({
      trouble,
      message: expect.stringMatching(message),
    });
    expect(storage.operations.write).toBe(gate.count("write"));
    const isPassing = [429, 500, 503].includes(status);
    expect(gate.count("write")).toBeGreaterThanOrEqual(isPassing ? 2 : 1);
    expect(gate.count("write")).toBeLessThanOrEqual(isPassing ? 3 : 1);
  });

  it("told to come back later, it does, and not before", async () => {
    const storage = await withBlob();
    const began = performance.now();
    first(1, { status: 503, headers: { "retry-after": "1" } });
    expect(await storage.list("")).toHaveLength(1);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(gate.count("list")).toBe(2);
  });

  it("told to come back after the deadline, it says so at once", async () => {
    const storage = await withBlob();
    always({ status: 503, headers: { "retry-after": "3600" } });
    await expect(storage.list("")).rejects.toMatchObject({ trouble: "slow" });
    expect(gate.count("list")).toBe(1);
  });

  it("a connection cut within a body is mended by asking again; a stream's is said", async () => {
    const storage = await openNew(kind, "", { deadline: SOON });
    const body = randomBytes(1_000_000);
    await storage.write("large", body);
    gate.reset();
    first(1, { cutAfter: 300_000 });
    expect(body.equals((await storage.read("large")).body)).toBe(true);
    expect(gate.count("read")).toBe(2);
    first(1, { cutAfter: 300_000 });
    await expect(buffer(storage.stream("large"))).rejects.toMatchObject({ trouble: "unreachable", exit: 69 });
    first(1, { cutAfter: 0 });
    expect(body.equals(await buffer(storage.stream("large")))).toBe(true);
    always({ cutAfter: 300_000 });
    await expect(storage.read("large")).rejects.toMatchObject({ trouble: "unreachable" });
  });

  it("a listing cut short is no listing", async () => {
    const storage = await withBlob();
    always({ cutAfter: 150 });
    await expect(storage.list("")).rejects.toMatchObject({ trouble: "unreachable" });
    always({ status: 200, body: "<EnumerationResults><Blobs>" });
    await expect(storage.list("")).rejects.toMatchObject({ trouble: "failed" });
    always({ status: 200, body: "<html><body>Sign in to the hotel's network</body></html>" });
    await expect(storage.list("")).rejects.toMatchObject({
      trouble: "failed",
      message: expect.stringMatching(/no listing/),
    });
    always({ status: 200, body: "welcome" });
    await expect(storage.list("")).rejects.toMatchObject({
      trouble: "failed",
      message: expect.stringMatching(/no XML/),
    });
  });

  it("a body that trickles is given up", async () => {
    const spec = await kind.spec();
    await (await openAt(kind, spec)).write("large", randomBytes(100_000));
    const storage = await openAt(kind, spec, { deadline: 500 });
    always({ trickle: { bytes: 10, every: 30 } });
    await expect(storage.read("large")).rejects.toMatchObject({ trouble: "slow" });
    await expect(buffer(storage.stream("large"))).rejects.toMatchObject({ trouble: "slow" });
    storage.close();
  });

  it("a write under a condition is sent once, because nobody knows what became of it", async () => {
    const storage = await withBlob();
    first(1, { swallow: true });
    await expect(storage.write("new", Buffer.from("1"), { etag: null })).rejects.toMatchObject({
      trouble: "unreachable",
    });
    expect(gate.count("write")).toBe(1);
    expect(Buffer.from((await storage.read("new")).body).toString()).toBe("1");
  });

  it("an epoch whose acknowledgement was lost is found to be taken", async () => {
    const storage = await withBlob();
    gate.behave = ({ kind: asked }: Passage) => (asked === "write" ? { swallow: true } : null);
    const known = { epoch: 1, owner: "anvil", state: "primary", etag: null } as const;
    const mine = await writePrimary(storage, known, { epoch: 2, owner: "forge", state: "promoting" });
    expect(mine).toMatchObject({ epoch: 2, owner: "forge" });
    gate.reset();
    expect(await writePrimary(storage, mine, { epoch: 2, owner: "forge", state: "primary" })).toMatchObject({
      state: "primary",
    });
    await expect(writePrimary(storage, mine, { epoch: 2, owner: "anvil", state: "primary" })).rejects.toMatchObject({
      exit: 1,
    });
  });

  it("nobody there: said soon, with the address's own reason", async () => {
    const spec = { ...(await kind.spec()), endpoint: "http://127.0.0.1:9/account" } as StorageSpec;
    const storage = await openAt(kind, spec, { deadline: SOON });
    await expect(storage.list("")).rejects.toMatchObject({
      trouble: "unreachable",
      message: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  it("without credentials it is not opened, and what to set is named", async () => {
    const { context } = fakeWorld({ HOME: "/nonexistent" });
    const { openStorage } = await import("../../../src/dr/storage/open.ts");
    const hint =
      name === "Azure"
        ? /LITESTREAM_AZURE_SAS_TOKEN.*LITESTREAM_AZURE_ACCOUNT_KEY.*AZURE_CLIENT_SECRET/
        : /AWS_ACCESS_KEY_ID/;
    await expect(openStorage(context, await kind.spec())).rejects.toMatchObject({
      exit: 4,
      hint: expect.stringMatching(hint),
    });
  });
});
