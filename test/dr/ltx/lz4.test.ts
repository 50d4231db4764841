import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LtxDamage } from "../../../src/dr/ltx/damage.ts";
import { unpackBlock } from "../../../src/dr/ltx/lz4.ts";
import { pack } from "./write-ltx.ts";

/** Like pages: words again and again, with runs of one byte. */
const pageLike = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constant(new Uint8Array(300)),
      fc.constant(Buffer.from("lorem ipsum ")),
    ),
    {
      maxLength: 30,
    },
  )
  .map((parts) => new Uint8Array(Buffer.concat(parts)));

describe("LZ4 blocks", () => {
  test("come out as they went in", () => {
    fc.assert(
      fc.property(pageLike, (data) => {
        const to = new Uint8Array(data.length);
        expect(unpackBlock(pack(data), to)).toBe(data.length);
        expect(Buffer.compare(to, data)).toBe(0);
      }),
    );
  });

  test("whatever is in a block, nothing is written past the page, and what is wrong is said as damage", () => {
    const mutated = fc.tuple(pageLike, fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { minLength: 1, maxLength: 4 }));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }).map((block) => Buffer.from(block)),
          mutated.map(broken),
        ),
        (block) => {
          const memory = new Uint8Array(700).fill(7);
          const page = memory.subarray(100, 612);
          try {
            expect(unpackBlock(block, page)).toBeLessThanOrEqual(512);
          } catch (error) {
            expect(error).toBeInstanceOf(LtxDamage);
          }
          expect(memory.subarray(0, 100).every((byte) => byte === 7)).toBe(true);
          expect(memory.subarray(612).every((byte) => byte === 7)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["literals past its end", [0xf0, 0xff, 0xff]],
    ["no literals at its end", [0x10, 1, 1, 0]],
    ["an offset of nothing", [0x10, 1, 0, 0, 0x10, 1]],
    ["an offset before its beginning", [0x10, 1, 2, 0, 0x10, 1]],
    ["half an offset", [0x10, 1, 1]],
    ["more than a page", [0x1f, 1, 1, 0, 255, 255, 255, 0, 0x10, 1]],
    ["nothing", []],
  ])("%s is refused", (_, block) => {
    expect(() => unpackBlock(new Uint8Array(block), new Uint8Array(512))).toThrow(LtxDamage);
  });
});

function broken([data, changes]: [Uint8Array, [number, number][]]): Buffer {
  const block = pack(data);
  for (const [at, value] of changes) if (block.length > 0) block[at % block.length] = value;
  return block;
}
