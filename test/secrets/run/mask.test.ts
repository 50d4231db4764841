import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needlesFor } from "../../../src/secrets/mask/forms.ts";
import { isBase64 } from "../../../src/secrets/mask/lines.ts";
import { Masker } from "../../../src/secrets/mask/masker.ts";

/** Masking as a function of bytes: however the stream is cut, the same comes out, and nothing of a secret does. */

function mask(secrets: readonly string[], chunks: readonly Buffer[]): Buffer {
  const masker = new Masker(needlesFor(secrets));
  return Buffer.concat([
    ...chunks.flatMap((chunk) => masker.push(chunk).map((part) => Buffer.from(part))),
    ...masker.end(),
  ]);
}

function masked(secrets: readonly string[], text: string | Buffer): string {
  return mask(secrets, [Buffer.from(text)]).toString("utf8");
}

/** The places of the bytes that are not between two lines of base64. */
function unbroken(data: Buffer): number[] {
  const text = data.toString("latin1");
  const between = new Set<number>();
  for (const { index, 0: line } of text.matchAll(/(?<=[\w+/-]{48})\r?\n[ \t]{0,64}/g))
    for (let at = 0; at < line.length; at++) between.add(index + at);
  return Array.from(data.keys()).filter((at) => !between.has(at));
}

/** The slow and obvious way: every needle, everywhere, in the whole output; base64 in lines also as if it were one. */
function obvious(secrets: readonly string[], data: Buffer): Buffer {
  const hidden = new Uint8Array(data.length);
  const needles = needlesFor(secrets);
  const look = (places: readonly number[], which: typeof needles): void => {
    const text = Buffer.from(places.map((place) => data[place] as number));
    for (const { bytes, right } of which)
      for (let at = text.indexOf(bytes); at >= 0; at = text.indexOf(bytes, at + 1)) {
        const last = at + bytes.length - (right && isBase64(text[at + bytes.length]) ? 0 : 1);
        hidden.fill(1, places[at], (places[last] ?? 0) + 1);
      }
  };
  look([...data.keys()], needles);
  look(
    unbroken(data),
    needles.filter(({ coded }) => coded),
  );
  const out: Buffer[] = [];
  for (let at = 0; at < data.length; at++)
    if (!hidden[at]) out.push(data.subarray(at, at + 1));
    else if (at === 0 || !hidden[at - 1]) out.push(Buffer.from("***"));
  return Buffer.concat(out);
}

function cut(data: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < data.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(data.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const alphabets = ["ab", "aB0+/=", "ab\n", 'x"\\/ %é☃<', "abcdefghijklmnop0123456789"];
const anySecret = fc
  .constantFrom(...alphabets)
  .chain((letters) => fc.string({ unit: fc.constantFrom(...letters), minLength: 5, maxLength: 24 }));
const inLines = (text: string, width: number, end = "\n") =>
  (text.match(new RegExp(`.{1,${width}}`, "g")) ?? []).join(end);
const ENCODINGS: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(`u:${text}`).toString("base64"),
  (text) => Buffer.from(`é:${text}`).toString("base64url"),
  (text) => Buffer.from(`12345${text}67`).toString("base64"),
  (text) => encodeURIComponent(text),
  (text) => new URLSearchParams({ k: text }).toString(),
  (text) => JSON.stringify({ k: text }),
  (text) => JSON.stringify(JSON.stringify(text)),
];
const FILLED = "The quick brown fox jumps over the lazy dog.";
/** Base64 in lines, with the secret at any place in them. */
const IN_LINES: readonly ((text: string) => string)[] = [
  (text) => inLines(Buffer.from(`${FILLED}${text}${FILLED}`).toString("base64"), 64),
  (text) => inLines(Buffer.from(`${FILLED}1${text}`).toString("base64"), 48, "\r\n"),
  (text) => inLines(Buffer.from(`${FILLED}12${text}${text}`).toString("base64url"), 60, "\n  "),
  (text) => inLines(Buffer.from(text.repeat(9)).toString("base64"), 50),
];
const anyPiece = (secrets: readonly string[]) =>
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...'abxyB0+/= \n"%é'), maxLength: 20 }),
    fc
      .tuple(fc.constantFrom(...secrets), fc.constantFrom(...ENCODINGS, ...IN_LINES), fc.nat(12), fc.nat(12))
      .map(([secret, encode, from, to]) => {
        const text = encode(secret);
        // Mostly whole; now and then a part of it, which may overlap with what comes next.
        return from > 4 ? text : text.slice(from, text.length - (to > 4 ? 0 : to));
      }),
  );
const scene = fc.array(anySecret, { minLength: 1, maxLength: 4 }).chain((secrets) =>
  fc.record({
    secrets: fc.constant(secrets),
    pieces: fc.array(anyPiece(secrets), { maxLength: 12 }),
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
  }),
);

describe("masking", () => {
  test("any cut of any output masks the same as looking at all of it", () => {
    fc.assert(
      fc.property(scene, ({ secrets, pieces, sizes }) => {
        const data = Buffer.from(pieces.join(""));
        const expected = obvious(secrets, data).toString("latin1");
        expect(mask(secrets, [data]).toString("latin1")).toBe(expected);
        expect(mask(secrets, cut(data, sizes)).toString("latin1")).toBe(expected);
        expect(mask(secrets, cut(data, [1])).toString("latin1")).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test("each chunk by itself would not do: the test above sees it", () => {
    const broken = fc.check(
      fc.property(scene, ({ secrets, pieces, sizes }) => {
        const data = Buffer.from(pieces.join(""));
        const each = Buffer.concat(cut(data, sizes).map((chunk) => obvious(secrets, chunk)));
        return each.equals(obvious(secrets, data));
      }),
    );
    expect(broken.failed).toBe(true);
  });

  test("nothing of a secret survives, in any of the forms", () => {
    const secret = fc
      .string({ unit: "grapheme-ascii", minLength: 8, maxLength: 60 })
      .filter((text) => !/[*\s]/.test(text));
    fc.assert(
      fc.property(secret, fc.constantFrom(...ENCODINGS), fc.integer({ min: 1, max: 30 }), (value, encode, size) => {
        const text = `before ${encode(value)} behind`;
        const out = mask([value], cut(Buffer.from(text), [size])).toString("utf8");
        expect(out).toContain("***");
        for (const form of ENCODINGS) expect(out).not.toContain(form(value));
        expect(out).not.toContain(value.slice(0, 8));
        expect(out).not.toContain(value.slice(-8));
      }),
      { numRuns: 2000 },
    );
  });

  test("bytes that are no secret come out as they went in", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 40 }), (bytes, size) => {
        const data = Buffer.from(bytes);
        expect(mask(["correct-horse-battery"], cut(data, [size])).equals(data)).toBe(true);
      }),
    );
  });

  test.each([
    ["as it is", "s3cret-value", "a s3cret-value b", "a *** b"],
    ["twice, side by side", "s3cret-value", "s3cret-values3cret-value", "***"],
    ["with a line end", "s3cret-value\n", "s3cret-value", "***"],
    ["in quotes of JSON", 'a"b\\c/d', '{"k":"a\\"b\\\\c/d"}', '{"k":"***"}'],
    ["as Python's JSON", "pässwörd", '"p\\u00e4ssw\\u00f6rd"', '"***"'],
    ["as Go's JSON", "a<b>&c", '"a\\u003cb\\u003e\\u0026c"', '"***"'],
    ["as PHP's JSON", "a/b/c/d", '"a\\/b\\/c\\/d"', '"***"'],
    ["percent-encoded", "a b/c&d", "?k=a%20b%2Fc%26d&x", "?k=***&x"],
    ["in small letters", "a b/c&d", "?k=a%20b%2fc%26d&x", "?k=***&x"],
    ["of a form", "a b/c&d", "k=a+b%2Fc%26d", "k=***"],
  ])("%s", (_, secret, text, expected) => {
    expect(masked([secret], text)).toBe(expected);
  });

  test("base64 in all three places, of both alphabets, with the characters it shares with its neighbours", () => {
    const secret = "p?>p?>p?>word";
    for (const before of ["", "u", "us", "use", "user:"])
      for (const behind of ["", ".", "..", "..."])
        for (const alphabet of ["base64", "base64url"] as const) {
          const coded = Buffer.from(before + secret + behind).toString(alphabet);
          const out = masked([secret], `<${coded}>`);
          const kept = out.replace("<", "").replace(">", "").split("***");
          expect(kept).toHaveLength(2);
          // What is left says nothing but what stood around it.
          expect(kept[0]).toBe(coded.slice(0, Math.floor((before.length * 8) / 6)));
          expect(Buffer.from(kept[1] ?? "", "base64").length).toBeLessThanOrEqual(behind.length);
        }
  });

  test("base64 in lines, as base64 and openssl write it", () => {
    const secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrst";
    for (const width of [64, 76]) {
      const lines =
        Buffer.from(`${secret}\n`)
          .toString("base64")
          .match(new RegExp(`.{1,${width}}`, "g")) ?? [];
      // K is the rest of the line end.
      expect(lines.length).toBeGreaterThan(1);
      expect(masked([secret], `${lines.join("\n")}\n`)).toBe("***K\n");
    }
  });

  test("base64 in lines, wherever the secret stands in what was encoded, however it is cut", () => {
    const letters = (alphabet: string, minLength: number, maxLength: number) =>
      fc.string({ unit: fc.constantFrom(...alphabet), minLength, maxLength });
    const all = {
      secret: letters("abcdefghijklmnopqrstuvwxyzé%", 20, 200),
      before: letters("ABCDEFGHIJK:", 0, 100),
      behind: letters("0123456789", 0, 40),
      width: fc.constantFrom(64, 76, 1e6),
      end: fc.constantFrom("\n", "\r\n", "\n    "),
      alphabet: fc.constantFrom("base64" as const, "base64url" as const),
      sizes: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 6 }),
    };
    fc.assert(
      fc.property(fc.record(all), ({ secret, before, behind, width, end, alphabet, sizes }) => {
        const coded = Buffer.from(before + secret + behind).toString(alphabet);
        const out = mask([secret], cut(Buffer.from(`${inLines(coded, width, end)}\n`), sizes)).toString();
        const [first = "", last = "", ...more] = out.replaceAll(/\s/g, "").split("***");
        expect(more).toEqual([]);
        expect(first).toBe(coded.slice(0, Math.floor((before.length * 8) / 6)));
        expect(Buffer.from(last, "base64").length).toBeLessThanOrEqual(behind.length);
      }),
      { numRuns: 3000 },
    );
  });

  test("a line that is not one of base64 does not wait for the next", () => {
    const masker = new Masker(needlesFor(["s3cret-value"]));
    expect(Buffer.concat(masker.push(Buffer.from("listening on a\n"))).toString()).toBe("listening on a\n");
  });

  test("of several lines: each by itself, however they are indented and ended", () => {
    const key = "-----BEGIN KEY-----\nAAAAbbbbCCCCdddd\nEEEEffff\nab\n-----END KEY-----\n";
    expect(masked([key], `x\n  AAAAbbbbCCCCdddd\r\n\tEEEEffff\nab\n`)).toBe("x\n  ***\r\n\t***\nab\n");
    expect(masked([key], key.replaceAll("\n", "\r\n"))).toBe("***");
    expect(masked([key], JSON.stringify({ key }))).toBe('{"key":"***"}');
  });

  test("overlapping secrets: the whole of both", () => {
    expect(masked(["abcdefgh", "efghijkl"], "-abcdefghijkl-")).toBe("-***-");
    expect(masked(["abcde", "abcdefghij"], "-abcdefghij-abcdefg-")).toBe("-***-***fg-");
  });

  test("what cannot be the beginning of a secret goes out at once", () => {
    const masker = new Masker(needlesFor(["hunter2-hunter2"]));
    expect(Buffer.concat(masker.push(Buffer.from("Continue? [y/n] "))).toString()).toBe("Continue? [y/n] ");
    expect(Buffer.concat(masker.push(Buffer.from("yes hun"))).toString()).toBe("yes ");
    expect(Buffer.concat(masker.push(Buffer.from("ger"))).toString()).toBe("hunger");
  });

  test("shorter than five characters: not masked", () => {
    expect(needlesFor(["abcd", "äöü€", ""])).toEqual([]);
    expect(masked(["abcd", "s3cret"], "abcd s3cret")).toBe("abcd ***");
  });

  test("a line of a megabyte that is nothing but the secret is one mask", () => {
    const data = Buffer.from("aaaaaaaa".repeat(131_072));
    expect(mask(["aaaaaaaa"], cut(data, [65_536])).toString()).toBe("***");
  });
});
