import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { StorageSpec } from "../../../src/dr/manifest/model.ts";
import { moment } from "../../../src/dr/restore/moment.ts";
import { placeOf, refuseOutput } from "../../../src/dr/restore/place.ts";
import { mustBeThere } from "../../../src/dr/storage/folder-trouble.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "alai-place-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("one database goes into a file, or into a folder under its own name", () => {
  const to = (output?: string, several = false) => placeOf(root, { path: "deep/a.db" }, { output, several });
  mkdirSync(join(root, "rs"));
  expect(to()).toBe(join(root, "a.db"));
  expect(to("b.db")).toBe(join(root, "b.db"));
  expect(to("rs")).toBe(join(root, "rs/a.db"));
  expect(to("rs/new/")).toBe(join(root, "rs/new/a.db"));
  expect(to("rs", true)).toBe(join(root, "rs/deep/a.db"));
});

test("standard output is no place for a database, nor is the storage, by whatever link", () => {
  const [storage, link] = [join(root, "storage"), join(root, "link")];
  mkdirSync(join(storage, "e1/a"), { recursive: true });
  symlinkSync(join(storage, "e1"), link);
  const spec: StorageSpec = { type: "file", path: storage, prefix: "" };
  const refused = (output: string) => () => refuseOutput({ storage: spec }, join(root, output), output);
  expect(refused("-")).toThrow(/not written to standard output/);
  expect(refused("storage/e1/a/x.db")).toThrow(/is in the storage/);
  expect(refused("link/new/x.db")).toThrow(/is in the storage/);
  expect(refused("storage2/x.db")).not.toThrow();
});

describe("--at", () => {
  const now = Date.UTC(2026, 10, 22, 0, 10);
  const ago = (ms: number) => now - ms;

  test.each([
    ["30s", ago(30_000)],
    ["1.5h", ago(5_400_000)],
    ["2m ago", ago(120_000)],
    ["2h-ago", ago(7_200_000)],
    ["00:05", ago(300_000)],
    ["00:05:30", ago(270_000)],
    ["2026-11-21T23:54Z", ago(960_000)],
  ])("%s", (raw, at) => expect(moment(raw, now)).toBe(at));

  test.each([
    ["23:54", /in the future: it is 2026-11-22T00:10/],
    ["24:00", /is not a time/],
    ["30", /is not a time/],
    ["30x", /is not a time/],
  ])("%s is refused", (raw, says) => expect(() => moment(raw, now)).toThrow(says));
});

test("a storage that is a file is not said to be missing", async () => {
  const file = join(root, "file");
  writeFileSync(file, "");
  await expect(mustBeThere(file)).rejects.toThrow(/is a file, and has to be a folder/);
  await expect(mustBeThere(join(root, "none"))).rejects.toThrow(/is not there/);
});
