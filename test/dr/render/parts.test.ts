import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Host } from "../../../src/dr/manifest/model.ts";
import { unifiedDiff } from "../../../src/dr/render/diff.ts";
import { goDuration } from "../../../src/dr/render/go-duration.ts";
import { portsOf } from "../../../src/dr/render/ports.ts";

describe("unifiedDiff", () => {
  test("nothing for equal texts, /dev/null for what is not there", () => {
    expect(unifiedDiff("x", "a\n", "a\n")).toBe("");
    expect(unifiedDiff("x", null, "a\nb\n")).toBe("--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    expect(unifiedDiff("x", "a\n", null)).toBe("--- a/x\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n");
  });

  test("three lines around each change", () => {
    const lines = Array.from({ length: 20 }, (_, at) => `${at}\n`);
    const after = lines.with(2, "two\n").with(15, "fifteen\n");
    expect(
      unifiedDiff("x", lines.join(""), after.join(""))
        .split("\n")
        .filter((line) => line.startsWith("@@")),
    ).toEqual(["@@ -1,6 +1,6 @@", "@@ -13,7 +13,7 @@"]);
  });

  test("applied, it gives the new text", () => {
    const text = fc
      .array(fc.constantFrom("a", "b", "c", ""), { maxLength: 30 })
      .map((lines) => lines.map((line) => `${line}\n`).join(""));
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(apply(before, unifiedDiff("x", before, after))).toBe(after);
      }),
    );
  });
});

/** Applies a unified diff by its line numbers, checking every line that it names. */
function apply(before: string, diff: string): string {
  if (diff === "") return before;
  const old = before.split("\n").slice(0, -1);
  const made: string[] = [];
  let at = 0;
  for (const line of diff.split("\n").slice(2, -1)) {
    const place = /^@@ -(\d+),(\d+) /.exec(line);
    if (place) {
      const start = Number(place[1]) - (place[2] === "0" ? 0 : 1);
      made.push(...old.slice(at, start));
      at = start;
    } else if (line.startsWith("+")) made.push(line.slice(1));
    else {
      expect(old[at]).toBe(line.slice(1));
      if (line.startsWith(" ")) made.push(line.slice(1));
      at++;
    }
  }
  return [...made, ...old.slice(at)].map((line) => `${line}\n`).join("");
}

test.each([
  [1000, "1s"],
  [90_000, "90s"],
  [250, "250ms"],
  [300_000, "5m"],
  [168 * 3_600_000, "168h"],
  [5_400_000, "90m"],
])("%i ms is %s to Go", (ms, text) => expect(goDuration(ms)).toBe(text));

test("no two processes have one port, nor an agent's, on hosts that are one machine", () => {
  const hosts = [
    ["a", 9470],
    ["b", 9472],
    ["c", 65_535],
  ].map(([name, port]) => ({ name, port }) as Host);
  const ports = hosts.flatMap((host) => portsOf(hosts, host, 4));
  expect(ports).toHaveLength(12);
  expect(new Set([...ports, ...hosts.map(({ port }) => port)]).size).toBe(15);
  expect(Math.max(...ports)).toBeLessThan(65_536);
});
