import { BadInput } from "@alai/core";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  date,
  dateOrNone,
  duration,
  longText,
  name,
  nameOrNone,
  oneOf,
  priority,
  taskId,
  title,
  ttl,
  ttlMinutes,
  wholeNumber,
} from "../../src/kit/values.ts";

/** The usage error of a reader, or what it read. */
function read(reader: (raw: string) => unknown, raw: string): unknown {
  try {
    return reader(raw);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    expect(error.hint ?? "").not.toBe("");
    return "refused";
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe("taskId", () => {
  test.each([
    ["1", 1],
    ["#12", 12],
    ["2147483647", 2_147_483_647],
  ])("%j is %j", (raw, id) => expect(taskId(raw)).toBe(id));

  test.each([
    "",
    "0",
    "-1",
    "1.5",
    "01",
    "null",
    "99999999999",
    "2147483648",
    "1e3",
    "0x1",
    " 1",
    "1 ",
    "##1",
    "7; drop table",
    "１",
  ])("%j is refused", (raw) => expect(read(taskId, raw)).toBe("refused"));

  test("reads back every id, and nothing else is read as one", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2_147_483_647 }), (id) => taskId(String(id)) === id));
    fc.assert(fc.property(fc.string(), (raw) => /^#?[1-9]\d{0,9}$/.test(raw) || read(taskId, raw) === "refused"));
  });
});

test("wholeNumber has a least value", () => {
  expect(wholeNumber("limit")("0")).toBe(0);
  expect(wholeNumber("fence", 1)("1")).toBe(1);
  for (const raw of ["-1", "1.0", "", "x", "12345678901"])
    expect([raw, read(wholeNumber("limit"), raw)]).toEqual([raw, "refused"]);
  expect(read(wholeNumber("fence", 1), "0")).toBe("refused");
});

describe("lengths of time", () => {
  test.each([
    ["250ms", 250],
    ["90s", 90_000],
    ["10m", 600_000],
    ["1.5h", 5_400_000],
    ["2d", 172_800_000],
    ["1w", 604_800_000],
  ])("%s is %d ms", (raw, ms) => expect(duration(raw)).toBe(ms));

  test.each(["", "10", "m", "-1m", "1 m", "1y", "1e3s", "10M"])("%j is refused", (raw) =>
    expect(read(duration, raw)).toBe("refused"),
  );

  test("a lease is from a second to a day, both included", () => {
    expect([ttl("1s"), ttl("24h"), ttlMinutes("0.5"), ttlMinutes("1440")]).toEqual([
      1000, 86_400_000, 30_000, 86_400_000,
    ]);
    for (const raw of ["999ms", "0s", "24.001h", "2d"]) expect([raw, read(ttl, raw)]).toEqual([raw, "refused"]);
    for (const raw of ["0", "1441", "", "-1", "1m", "1e2"])
      expect([raw, read(ttlMinutes, raw)]).toEqual([raw, "refused"]);
  });
});

describe("dates", () => {
  const NOW = Date.UTC(2026, 4, 8, 12, 30);

  test.each([
    ["2026-12-01", Date.UTC(2026, 11, 1)],
    ["2026-12-01T09:30Z", Date.UTC(2026, 11, 1, 9, 30)],
    ["2026-12-01 09:30:15", Date.UTC(2026, 11, 1, 9, 30, 15)],
    ["2026-12-01T09:30+02:00", Date.UTC(2026, 11, 1, 7, 30)],
    ["2028-02-29", Date.UTC(2028, 1, 29)],
    ["now", NOW],
    ["today", Date.UTC(2026, 4, 8)],
    ["Tomorrow", Date.UTC(2026, 4, 9)],
    ["+3d", NOW + 3 * 86_400_000],
    ["+90m", NOW + 5_400_000],
  ])("%s", (raw, ms) => {
    vi.useFakeTimers({ now: NOW });
    expect(date(raw)).toBe(ms);
  });

  test.each([
    "",
    "2026-02-30",
    "2027-02-29",
    "2026-04-31",
    "2026-13-01",
    "2026-00-10",
    "2026-12-01T25:00",
    "01/02/2026",
    "soon",
    "+",
    "+3",
    "-3d",
    "1780000000",
  ])("%j is refused", (raw) => expect(read(date, raw)).toBe("refused"));

  test("none clears", () => {
    expect([dateOrNone("none"), dateOrNone("")]).toEqual([null, null]);
    expect(read(dateOrNone, "never")).toBe("refused");
  });
});

test("priority takes numbers and words", () => {
  expect(["0", "4", "p1", "HIGH", "critical", "low"].map((raw) => priority(raw))).toEqual([0, 4, 1, 1, 0, 3]);
  for (const raw of ["5", "-1", "", "1.5", "hi"]) expect([raw, read(priority, raw)]).toEqual([raw, "refused"]);
});

describe("texts", () => {
  test("a title is one line of at most 1024 characters without control characters", () => {
    expect(title("  Größe 🚀  ")).toBe("Größe 🚀");
    expect(title("x".repeat(1024))).toHaveLength(1024);
    const wrong = [
      "",
      "  ",
      "x".repeat(1025),
      "a\nb",
      "a\u001bb",
      "a\u007fb",
      "a\u0085b",
      "a\u2028b",
      "a\u202eb",
      "a\u2066b",
    ];
    for (const raw of wrong) expect([raw, read(title, raw)]).toEqual([raw, "refused"]);
  });

  test("a name is 1 to 200 characters on one line; none clears where it may", () => {
    expect(name("tag")(" a b ")).toBe("a b");
    for (const raw of ["", " ", "x".repeat(201), "a\tb"])
      expect([raw, read(name("tag"), raw)]).toEqual([raw, "refused"]);
    expect([nameOrNone("owner")("None"), nameOrNone("owner")(""), nameOrNone("owner")("eve")]).toEqual([
      null,
      null,
      "eve",
    ]);
  });

  test("a long text has a limit", () => {
    expect(longText("note")("x".repeat(1_000_000))).toHaveLength(1_000_000);
    expect(read(longText("note"), "x".repeat(1_000_001))).toBe("refused");
  });

  test("oneOf is exact", () => {
    expect(oneOf("goal", ["free", "done"])("free")).toBe("free");
    for (const raw of ["Free", "fre", "", "toString"])
      expect([raw, read(oneOf("goal", ["free", "done"]), raw)]).toEqual([raw, "refused"]);
  });
});
