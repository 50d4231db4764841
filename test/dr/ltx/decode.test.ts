import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LtxDamage } from "../../../src/dr/ltx/damage.ts";
import { decodeLtx } from "../../../src/dr/ltx/decode.ts";
import { lockPage } from "../../../src/dr/ltx/header.ts";
import { imageOf, type LtxPlan, writeLtx } from "./write-ltx.ts";

const PAGES: LtxPlan["pages"] = [
  [2, new Uint8Array(512).fill(9)],
  [3, Buffer.from("page three ".repeat(47).slice(0, 512))],
  [7, Uint8Array.from({ length: 512 }, (_, at) => (at * 7919) >> 3)],
];
const PLAN: LtxPlan = { commit: 8, min: 5, max: 6, time: 1_700_000_000_000, pages: PAGES };

async function read(file: Uint8Array, cuts: readonly number[] = [], name?: { key: string; min: number; max: number }) {
  const pages = new Map<number, Uint8Array>();
  const places = [0, ...cuts.map((cut) => cut % (file.length + 1)), file.length].sort((a, b) => a - b);
  const pieces = places.slice(1).map((place, at) => file.subarray(places[at], place));
  const sink = { header() {}, page: (page: number, data: Uint8Array) => void pages.set(page, data.slice()) };
  return { decoded: await decodeLtx(pieces, sink, name), pages };
}

async function damage(file: Uint8Array): Promise<LtxDamage> {
  const error = await read(file).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(LtxDamage);
  return error as LtxDamage;
}

describe("LTX files", () => {
  test.each([false, true])("give header and pages, however they arrive (pages in frames: %s)", async (frames) => {
    const file = writeLtx({ ...PLAN, frames });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5000), { maxLength: 12 }), async (cuts) => {
        const { decoded, pages } = await read(file, cuts);
        const header = { pageSize: 512, commit: 8, min: 5, max: 6, time: 1_700_000_000_000 };
        expect(decoded).toEqual({ ...header, pages: 3, isWhole: false });
        expect([...pages].map(([page, data]) => [page, Buffer.from(data)])).toEqual(
          PAGES.map(([page, data]) => [page, Buffer.from(data)]),
        );
      }),
      { numRuns: 40 },
    );
  });

  test("a change of any byte is found", async () => {
    const file = writeLtx(PLAN);
    const unnoticed: number[] = [];
    for (let at = 0; at < file.length; at += 1) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      await read(changed).then(
        () => unnoticed.push(at),
        (error) => expect(error).toBeInstanceOf(LtxDamage),
      );
    }
    expect(unnoticed).toEqual([]);
  });

  test("a file that ends too early, or goes on, is found", async () => {
    const file = writeLtx(PLAN);
    for (let length = 0; length < file.length; length += 1) await damage(file.subarray(0, length));
    await damage(Buffer.concat([file, Buffer.alloc(1)]));
    await damage(Buffer.concat([file, Buffer.alloc(100_000)]));
    expect((await damage(file.subarray(0, 300))).kind).toBe("cut");
  });

  test("what is no LTX file, or another one than its name says, is called foreign", async () => {
    expect((await damage(Buffer.from("SQLite format 3\0".repeat(20)))).kind).toBe("foreign");
    const other = read(writeLtx(PLAN), [], { key: "e1/mc/ltx/0/x.ltx", min: 5, max: 7 });
    await expect(other).rejects.toMatchObject({ kind: "foreign", key: "e1/mc/ltx/0/x.ltx" });
  });

  test.each<[string, Partial<LtxPlan>]>([
    ["pages in a wrong order", { pages: [...PAGES].reverse() }],
    ["a page twice", { pages: [...PAGES.slice(0, 1), ...PAGES] }],
    ["a page past the end", { commit: 6 }],
    ["no database at all", { commit: 0, pages: [] }],
    ["a page size that is none", { pageSize: 513 }],
    ["transactions in a wrong order", { min: 7, max: 6 }],
  ])("%s: refused, though the checksum is right", async (_, change) => {
    expect((await damage(writeLtx({ ...PLAN, ...change }))).kind).toBe("damaged");
  });

  test("the page of the locks is never in one, and a whole image is whole without it", async () => {
    const lock = lockPage(65_536);
    const page = new Uint8Array(65_536);
    const withLock = writeLtx({ pageSize: 65_536, commit: lock + 1, pages: [[lock, page]] });
    expect((await damage(withLock)).message).toContain("locks");
    const pages = imageOf(6, 512, (number) => number);
    expect((await read(writeLtx({ commit: 6, pages }))).decoded.isWhole).toBe(true);
    expect((await read(writeLtx({ commit: 6, pages: pages.slice(1) }))).decoded.isWhole).toBe(false);
    expect(lockPage(4096)).toBe(262_145);
  });
});
