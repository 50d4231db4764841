import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "alai-folder-"));
});
afterEach(() => {
  spawnSync("umount", ["-l", path]);
  rmSync(path, { recursive: true, force: true });
});
const open = () => new FolderStorage({ path, prefix: "p" }, 20_000);

/** A file system of its own, which only root can mount. In CI it must work; elsewhere the test is skipped. */
function mount(skip: (note: string) => never, options: string): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
  if (status === 0) return;
  if (process.env.CI) throw new Error(`cannot mount: ${stderr}`);
  skip("needs root on Linux");
}

it("a full disk is said, leaves what was there, and works again when there is room", async ({ skip }) => {
  mount(skip, "size=512k");
  const storage = open();
  const etag = await storage.write("small", Buffer.from("kept"));
  await expect(storage.write("large", Buffer.alloc(600_000, 1))).rejects.toMatchObject({ trouble: "full", exit: 69 });
  await expect(storage.write("small", Buffer.alloc(600_000, 1), { etag })).rejects.toMatchObject({ trouble: "full" });
  expect((await storage.list("")).map(({ key }) => key)).toEqual(["small"]);
  expect(Buffer.from((await storage.read("small")).body).toString()).toBe("kept");
  expect(readdirSync(join(path, "p")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  spawnSync("mount", ["-o", "remount,size=8m", path]);
  await storage.write("large", Buffer.alloc(600_000, 1));
  expect((await storage.list("")).map(({ size }) => size)).toEqual([600_000, 4]);
});

it("a disk that may only be read is refused, not missing", async ({ skip }) => {
  mount(skip, "size=512k");
  const storage = open();
  await storage.write("x", Buffer.from("kept"));
  spawnSync("mount", ["-o", "remount,ro", path]);
  await expect(storage.write("y", Buffer.from("y"))).rejects.toMatchObject({ trouble: "refused" });
  await expect(storage.remove("x")).rejects.toMatchObject({ trouble: "refused" });
  expect(Buffer.from((await storage.read("x")).body).toString()).toBe("kept");
});

it("lists no file that is still being written, and takes an LTX file's time for its stamp", async () => {
  mkdirSync(join(path, "p/e1/a/ltx/0"), { recursive: true });
  const ltx = "e1/a/ltx/0/0000000000000001-0000000000000001.ltx";
  for (const name of [ltx, `${ltx}.tmp`, "e1/a/.alai-x.tmp"]) writeFileSync(join(path, "p", name), "x");
  utimesSync(join(path, "p", ltx), 1_700_000_000.123, 1_700_000_000.123);
  expect(await open().list("")).toEqual([{ key: ltx, size: 1, modified: 1_700_000_000_123, stamp: 1_700_000_000_123 }]);
});

it("lists as many files as there are", async () => {
  const names = Array.from({ length: 150 }, (_, at) => `e1/one/${String(at).padStart(3, "0")}`);
  mkdirSync(join(path, "p", "e1", "one"), { recursive: true });
  for (const name of names) writeFileSync(join(path, "p", name), "");
  expect((await open().list("e1/")).map(({ key }) => key)).toEqual(names);
});

it("a key that a folder has, or that lies below a file, is missing", async () => {
  const storage = open();
  await storage.write("a/b", Buffer.from("x"));
  await expect(storage.read("a")).rejects.toMatchObject({ trouble: "missing" });
  await expect(storage.read("a/b/c")).rejects.toMatchObject({ trouble: "missing" });
  expect(await storage.list("a/b/c")).toEqual([]);
});
