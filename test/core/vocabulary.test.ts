import { formatHolder, parseHolder, validHolder } from "@alai/core/holder";
import { PRIORITY_SPELLINGS, readPriority, readStatus, STATUS_SPELLINGS, STATUSES } from "@alai/core/vocabulary";
import { describe, expect, it } from "vitest";

describe("statuses", () => {
  it.each([
    ["open", "open"],
    ["TODO", "open"],
    ["In Progress", "open"],
    // As SQL compares it: what a filter does not find must not be claimable either.
    [" open ", null],
    ["in_progress", "open"],
    ["Ready", "ready"],
    ["blocked", "paused"],
    ["Completed", "done"],
    ["wontfix", "cancelled"],
    ["won't fix", "cancelled"],
    ["weird", null],
    ["", null],
    [null, null],
    [undefined, null],
    [3, null],
    [3n, null],
  ])("%s reads as %s", (raw, expected) => {
    expect(readStatus(raw)).toBe(expected);
  });

  it("have each spelling once, lower case, our own word first", () => {
    const words = STATUSES.flatMap((status) => STATUS_SPELLINGS[status]);
    expect(new Set(words).size).toBe(words.length);
    expect(words).toEqual(words.map((word) => word.trim().toLowerCase()));
    for (const status of STATUSES) expect(STATUS_SPELLINGS[status][0]).toBe(status);
  });
});

describe("priorities", () => {
  it.each([
    ["high", 1],
    ["HIGH", 1],
    ["P0", 0],
    ["critical", 0],
    ["normal", 2],
    ["low", 3],
    ["someday", 4],
    [0, 0],
    [4, 4],
    [4n, 4],
    ["2", 2],
    [5, null],
    [-1, null],
    ["weird", null],
    ["", null],
    [null, null],
  ])("%s reads as %s", (raw, expected) => {
    expect(readPriority(raw)).toBe(expected);
  });

  it("have each spelling once", () => {
    const words = PRIORITY_SPELLINGS.flat();
    expect(new Set(words).size).toBe(words.length);
  });
});

describe("holders", () => {
  it("are actor:session, split at the first colon", () => {
    expect(formatHolder({ actor: "john", session: "a:b" })).toBe("john:a:b");
    expect(parseHolder("john:a:b")).toEqual({ actor: "john", session: "a:b" });
    expect(parseHolder("somebody")).toEqual({ actor: "somebody", session: "" });
  });

  it("of two different callers are never the same text", () => {
    // A colon in an actor would make a:b + c and a + b:c one holder.
    expect(() => validHolder("a:b", "c")).toThrow(/not allowed/);
    expect(validHolder("a", "b:c")).toEqual({ actor: "a", session: "b:c" });
  });

  it.each([
    ["", "s"],
    ["a b", "s"],
    ["a\n", "s"],
    ["a".repeat(129), "s"],
    ["a", ""],
    ["a", "s s"],
    ["a", "\u0007"],
    ["a", "s".repeat(201)],
  ])("%j with session %j is refused", (actor, session) => {
    expect(() => validHolder(actor, session)).toThrow(expect.objectContaining({ code: "bad_input" }));
  });
});
