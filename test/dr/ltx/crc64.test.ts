import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Crc64 } from "../../../src/dr/ltx/crc64.ts";
import { slowCrc } from "./write-ltx.ts";

function sumOf(...pieces: readonly Uint8Array[]): bigint {
  const crc = new Crc64();
  for (const piece of pieces) crc.update(piece);
  return (BigInt(crc.sum.high) << 32n) | BigInt(crc.sum.low);
}

describe("CRC-64", () => {
  test("is the one of the catalogue (CRC-64/GO-ISO)", () => {
    expect(sumOf(Buffer.from("123456789"))).toBe(0xb90956c775a41001n);
  });

  test("is the same however the bytes come, at whatever address they are", () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, fc.nat(7), fc.nat(300), (data, shift, cut) => {
        const moved = new Uint8Array(data.length + shift);
        moved.set(data, shift);
        const there = moved.subarray(shift);
        expect(sumOf(there.subarray(0, cut), there.subarray(cut))).toBe(slowCrc(data));
      }),
    );
  });
});
