import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPrimary, writePrimary } from "../../../src/dr/epoch.ts";
import type { StorageSpec } from "../../../src/dr/manifest/model.ts";
import { type Storage, StorageError } from "../../../src/dr/storage/storage.ts";
import { type Kind, type KindName, openAt, openNew, startKind } from "./kinds.ts";

const KINDS: readonly KindName[] = ["a folder", "Azure", "S3"];
const bytes = (text: string) => Buffer.from(text);

/** Anything a database, a person or another program may have called a file. */
const ODD = [
  "with space",
  "100%",
  "%41",
  "a+b",
  "a&b=c",
  "what?",
  "#1",
  "it's (new)!*",
  'quote"s',
  "<xml>",
  "æøå",
  "数据",
  "😀",
  "~tilde",
  "semi;colon",
  "at@sign",
  "comma,",
  "deep/er/and deeper/x",
  ".hidden",
];

describe.each(KINDS)("%s as storage", (name) => {
  let kind: Kind;
  beforeAll(async () => {
    kind = await startKind(name);
  });
  afterAll(() => kind.stop());

  async function fill(storage: Storage, keys: readonly string[]): Promise<void> {
    for (const key of keys) await storage.write(key, bytes(`of ${key}`));
  }

  it("keeps, lists in order, gives back and removes", async () => {
    const storage = await openNew(kind, "fleet/a");
    expect(await storage.list("")).toEqual([]);
    const before = Date.now();
    await fill(storage, ["e1/two/b", "e1/one/a", "e10/x", "e2/one/a"]);
    const found = await storage.list("e1/");
    expect(found.map(({ key }) => key)).toEqual(["e1/one/a", "e1/two/b"]);
    expect(found[0]).toMatchObject({ size: "of e1/one/a".length, stamp: null });
    // Azure's times are of whole seconds.
    expect(found[0]?.modified).toBeGreaterThanOrEqual(before - 1000);
    expect(found[0]?.modified).toBeLessThanOrEqual(Date.now() + 1000);
    expect((await storage.list("")).map(({ key }) => key)).toEqual(["e1/one/a", "e1/two/b", "e10/x", "e2/one/a"]);
    expect((await storage.list("e1")).map(({ key }) => key)).toEqual(["e1/one/a", "e1/two/b", "e10/x"]);
    expect(Buffer.from((await storage.read("e2/one/a")).body).toString()).toBe("of e2/one/a");
    await storage.remove("e2/one/a");
    await storage.remove("e2/one/a");
    await expect(storage.read("e2/one/a")).rejects.toMatchObject({ trouble: "missing", exit: 3 });
    await expect(buffer(storage.stream("e2/one/a"))).rejects.toMatchObject({ trouble: "missing" });
    expect(await storage.list("e2/")).toEqual([]);
    expect(storage.operations).toEqual({ list: 5, read: 3, write: 4, remove: 2 });
  });

  it("shows nothing of its neighbours' prefixes", async () => {
    const spec = await kind.spec("fleet");
    const mine = await openAt(kind, spec);
    const neighbour = await openAt(kind, { ...spec, prefix: "fleet2" });
    const all = await openAt(kind, { ...spec, prefix: "" });
    await fill(mine, ["a"]);
    await fill(neighbour, ["b"]);
    expect((await mine.list("")).map(({ key }) => key)).toEqual(["a"]);
    expect((await all.list("")).map(({ key }) => key)).toEqual(["fleet/a", "fleet2/b"]);
    expect((await all.list("fleet")).map(({ key }) => key)).toEqual(["fleet/a", "fleet2/b"]);
  });

  it("lists the same in many pages as in one, and counts each", async () => {
    const spec = await kind.spec("p");
    const storage = await openAt(kind, spec, { pageSize: 4 });
    const keys = Array.from({ length: 11 }, (_, at) => `e1/db-${at % 3}/ltx/0/${`${at}`.padStart(16, "0")}`).sort();
    await fill(storage, keys);
    expect((await storage.list("e1/")).map(({ key }) => key)).toEqual(keys);
    expect(storage.operations.list).toBe(name === "a folder" ? 1 : 3);
    expect(await (await openAt(kind, spec)).list("e1/")).toEqual(await storage.list("e1/"));
  });

  it("takes keys of all characters, and no key that leads elsewhere", async () => {
    const storage = await openNew(kind, "odd ones");
    const keys = ODD.map((odd) => `in ${odd}/${odd}`);
    await fill(storage, keys);
    expect((await storage.list("")).map(({ key }) => key)).toEqual(keys.toSorted());
    for (const key of keys) {
      expect(Buffer.from((await storage.read(key)).body).toString()).toBe(`of ${key}`);
      expect((await storage.list(key)).map((blob) => blob.key)).toEqual([key]);
      await storage.remove(key);
    }
    expect(await storage.list("")).toEqual([]);
    for (const key of ["", "/a", "a/", "a//b", "../a", "a/./b"])
      await expect((async () => storage.write(key, bytes("x")))(), key).rejects.toMatchObject({ trouble: "failed" });
  });

  it("gives large bodies back as they were, whole or piece by piece", async () => {
    const storage = await openNew(kind);
    const body = randomBytes(3_000_001);
    const etag = await storage.write("large", body);
    const read = await storage.read("large");
    expect(body.equals(read.body)).toBe(true);
    expect(read.etag).toBe(etag);
    expect(body.equals(await buffer(storage.stream("large")))).toBe(true);
    await storage.write("large", new Uint8Array());
    expect((await storage.read("large")).body.length).toBe(0);
    expect((await buffer(storage.stream("large"))).length).toBe(0);
    expect((await storage.list(""))[0]?.size).toBe(0);
  });

  it("writes under a condition only while it holds", async () => {
    const storage = await openNew(kind, "c");
    const first = await storage.write("x", bytes("1"), { etag: null });
    await expect(storage.write("x", bytes("2"), { etag: null })).rejects.toMatchObject({
      trouble: "conflict",
      exit: 1,
    });
    const second = await storage.write("x", bytes("2"), { etag: first });
    expect(second).not.toBe(first);
    await expect(storage.write("x", bytes("3"), { etag: first })).rejects.toMatchObject({ trouble: "conflict" });
    expect(Buffer.from((await storage.read("x")).body).toString()).toBe("2");
    await storage.remove("x");
    await expect(storage.write("x", bytes("4"), { etag: second })).rejects.toMatchObject({ trouble: "conflict" });
    await expect(storage.read("x")).rejects.toMatchObject({ trouble: "missing" });
    expect((await storage.list("")).length).toBe(0);
  });

  it("a container, bucket or folder that is not there is not taken for an empty one", async () => {
    const spec = await kind.spec();
    const elsewhere = { container: "not-there", bucket: "not-there", path: "/nonexistent/storage" };
    const storage = await openAt(kind, { ...spec, ...elsewhere } as StorageSpec, { deadline: 20_000 });
    const gone = { trouble: "failed", exit: 69, message: expect.stringContaining("is not there") };
    await expect(storage.list("")).rejects.toMatchObject(gone);
    await expect(storage.read("a")).rejects.toMatchObject(gone);
    await expect(buffer(storage.stream("a"))).rejects.toMatchObject(gone);
    await expect(storage.write("a", bytes("x"), { etag: null })).rejects.toMatchObject(gone);
    await expect(storage.remove("a")).rejects.toMatchObject(gone);
  });

  const others = Array.from({ length: 16 }, (_, at) => ({ name: `host-${at}`, role: "standby" }));
  const hosts = [{ name: "anvil", role: "primary" }, ...others] as never;

  /** All of them want the same epoch, each having seen the one before. */
  async function race(storages: readonly Storage[], epoch: number) {
    const ready = storages.map(async (storage, at) => {
      const known = await readPrimary(storage, { hosts });
      expect(known.epoch).toBe(epoch - 1);
      return () => writePrimary(storage, known, { epoch, owner: `host-${at}`, state: "promoting" });
    });
    const ends = await Promise.allSettled((await Promise.all(ready)).map((write) => write()));
    const losers = ends.filter((end) => end.status === "rejected").map(({ reason }) => reason);
    return { winners: ends.filter((end) => end.status === "fulfilled").map(({ value }) => value), losers };
  }

  it("of 16 who want the next epoch exactly one gets it, round after round", async () => {
    const spec = await kind.spec("fleet");
    const storages = await Promise.all(Array.from({ length: 16 }, () => openAt(kind, spec)));
    for (let epoch = 2; epoch < 6; epoch++) {
      const { winners, losers } = await race(storages, epoch);
      expect(winners).toHaveLength(1);
      for (const loser of losers) expect(loser).toMatchObject({ trouble: "conflict" });
      const since = expect.closeTo(Date.now(), -6);
      expect(await readPrimary(storages[0] as Storage, { hosts })).toEqual({ ...winners[0], since });
    }
  });

  it("the race is one that a look followed by a write loses", async () => {
    const spec = await kind.spec("fleet");
    const storages = await Promise.all(Array.from({ length: 16 }, async () => lookThenWrite(await openAt(kind, spec))));
    expect((await race(storages, 2)).winners.length).toBeGreaterThan(1);
  });
});

/** Wrong on purpose: what it compares may be another's by the time it writes. */
function lookThenWrite(storage: Storage): Storage {
  return Object.assign(Object.create(storage) as Storage, {
    list: (prefix: string) => storage.list(prefix),
    read: (key: string) => storage.read(key),
    async write(key: string, body: Uint8Array, condition: { etag: string | null }) {
      const now = await storage.read(key).catch(() => null);
      if ((now?.etag ?? null) !== condition.etag) throw new StorageError("conflict", "");
      return storage.write(key, body);
    },
  });
}
