import { DatabaseSync } from "node:sqlite";
import { fromStoreTime, toIso, toIsoSeconds, toStoreTime } from "@alai/core/time";
import { describe, expect, it } from "vitest";

const MS = Date.UTC(2026, 4, 8, 12, 30, 0, 7);

describe("store time", () => {
  it("is UTC text that compares with SQLite's datetime('now')", () => {
    expect(toStoreTime(MS)).toBe("2026-05-08 12:30:00.007");
    const db = new DatabaseSync(":memory:");
    const compare = (ms: number) =>
      db.prepare("SELECT ? > datetime('now') AS later").get(toStoreTime(ms))?.later as number;
    expect(compare(Date.now() + 60_000)).toBe(1);
    expect(compare(Date.now() - 60_000)).toBe(0);
    db.close();
  });

  it("keeps the order of times", () => {
    const times = [0, 999, 1000, MS, MS + 1, Date.UTC(9999, 11, 31)];
    expect(times.map(toStoreTime).toSorted()).toEqual(times.map(toStoreTime));
  });

  it("comes back as it went", () => {
    for (const ms of [1, MS, MS + 1, Date.UTC(9999, 11, 31, 23, 59, 59, 999)])
      expect(fromStoreTime(toStoreTime(ms))).toBe(ms);
    expect(toIso(MS)).toBe("2026-05-08T12:30:00.007Z");
  });

  it("as whole seconds is never earlier", () => {
    expect(toIsoSeconds(MS - 7)).toBe("2026-05-08T12:30:00Z");
    expect(toIsoSeconds(MS)).toBe("2026-05-08T12:30:01Z");
    expect(toIsoSeconds(MS - 8)).toBe("2026-05-08T12:30:00Z");
  });
});

describe("fromStoreTime", () => {
  const whole = MS - 7;
  it.each<[unknown, number | null]>([
    ["2026-05-08 12:30:00.007", MS],
    ["2026-05-08 12:30:00", whole],
    ["2026-05-08 12:30", whole],
    ["2026-05-08", Date.UTC(2026, 4, 8)],
    ["2026-05-08T12:30:00Z", whole],
    ["2026-05-08t12:30:00.007z", MS],
    ["2026-05-08T14:30:00+02:00", whole],
    ["2026-05-08T14:30:00.007+0200", MS],
    ["2026-05-08 05:00:00 -07:30", whole],
    ["  2026-05-08 12:30:00  ", whole],
    [whole / 1000, whole],
    [whole, whole],
    [BigInt(MS), MS],
    [BigInt(whole / 1000), whole],
    [`${whole / 1000}`, whole],
    [`${MS}`, MS],
    [MS / 1000, MS],
    [BigInt(MS) * 1000n, null],
    [BigInt(MS) * 1_000_000n, null],
    [0, null],
    [-5, null],
    [Number.NaN, null],
    ["", null],
    ["soon", null],
    ["2026-13-45", null],
    ["2026-05-08 25:00:00", null],
    ["12:30", null],
    ["08.05.2026", null],
    [null, null],
    [undefined, null],
    [new Uint8Array([1]), null],
  ])("%s", (value, expected) => {
    expect(fromStoreTime(value)).toBe(expected);
  });
});
