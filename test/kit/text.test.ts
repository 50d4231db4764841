import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasControl, multiLine, nameControl, oneLine, toJson, truncate } from "../../src/kit/text.ts";

const UNSAFE = "\u0000\u0007\u001b\u007f\u0085\u009b\u2028\u2029\u200e\u200f\u202a\u202e\u2066\u2069";
/** Any character, with those that a terminal obeys often among them. */
const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom(...UNSAFE, "\n", "\t", "\r"), fc.string({ maxLength: 2 })),
});
const safe = /^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/;

describe("control characters", () => {
  test("are found, and named", () => {
    for (const character of UNSAFE)
      expect([nameControl(`a${character}`), hasControl(`a${character}b`)]).toEqual([
        `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
        true,
      ]);
    for (const text of ["", "plain", "Größe", "🚀", "\u200d", "a\u00a0b"])
      expect([text, hasControl(text)]).toEqual([text, false]);
    // The answer does not depend on what was asked before.
    expect([hasControl("\u001b"), hasControl("\u001b"), hasControl("a")]).toEqual([true, true, false]);
  });

  test("are made visible on one line", () => {
    expect(oneLine("a\nb\tc\rd\u001b[31m\u009b\u202e")).toBe("a\\nb\\tc\\rd\\x1b[31m\\x9b\\u202e");
    fc.assert(fc.property(anyText, (text) => safe.test(oneLine(text))));
  });

  test("several lines keep line ends and tabs only", () => {
    expect(multiLine("a\r\nb\tc\rd\u001b")).toBe("a\nb\tc\\rd\\x1b");
    fc.assert(fc.property(anyText, (text) => safe.test(multiLine(text).replaceAll(/[\n\t]/g, ""))));
  });

  test("JSON is one line without them, and reads back the same", () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, anyText), (value) => {
        const json = toJson(value);
        expect(json).toMatch(safe);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

test("truncate keeps to the width and shows that it cut", () => {
  expect([truncate("abcd", 4), truncate("abcde", 4), truncate("abc", 1), truncate("", 0)]).toEqual([
    "abcd",
    "abc…",
    "…",
    "",
  ]);
});
