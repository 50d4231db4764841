import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Context } from "../../../src/kit/context.ts";
import { bringFiles, type MissingFile } from "../../../src/secrets/migrate/bring-files.ts";
import type { RawFile } from "../../../src/secrets/migrate/canonical.ts";
import type { Entry } from "../../../src/secrets/migrate/inventory.ts";
import { Journal } from "../../../src/secrets/migrate/journal.ts";
import { Patience, SideRefusal } from "../../../src/secrets/migrate/patience.ts";
import type { Side } from "../../../src/secrets/migrate/side.ts";

/** Which files are the migration's own, after a run that ended at any point of an upload. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-journal-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = (account: string) =>
  Journal.open({ paths: { data: folder } } as Context, "https://a.example", "https://b.example", account, "pw");
const fileOf = (id: string, fileName = "a.txt", size = "65"): RawFile => ({ id, fileName, size });
const entry = (files: readonly RawFile[]) => ({ id: "item", hash: "h", files }) as unknown as Entry;
const missing = (file = fileOf("s1")): MissingFile => ({
  source: entry([]),
  destination: entry([]),
  file,
  broken: null,
});

/** Sends one file to a destination that has these, and whose upload does what a test says. */
function bring(journal: Journal, there: RawFile[], upload: () => Promise<unknown>) {
  const destination = { filesOf: async () => [...there], upload, sync: async () => {} };
  const sides = {
    source: { download: async () => Buffer.from("x") } as unknown as Side,
    destination: destination as unknown as Side,
    patience: new Patience(new AbortController().signal, 60_000),
  };
  return bringFiles(sides, [missing()], journal, () => {});
}

test("one whose answer never came is ours, what was there and what a person added is not", async () => {
  const there = [fileOf("old")];
  const cut = async () => {
    there.push(fileOf("new"));
    throw new Error("bw is gone");
  };
  await expect(bring(await open("1"), there, cut)).rejects.toThrow("bw is gone");
  const journal = await open("1");
  journal.settle([entry([...there, fileOf("other", "b.txt"), fileOf("larger", "a.txt", "129")])], new Map());
  expect(journal.now).toMatchObject({ files: [{ item: "item", file: "new" }], pendingFiles: [] });
});

test("of two that may be it, none is", async () => {
  const there: RawFile[] = [];
  const cut = async () => {
    throw new Error("bw is gone");
  };
  await expect(bring(await open("2"), there, cut)).rejects.toThrow();
  const journal = await open("2");
  journal.settle([entry([fileOf("one"), fileOf("two")])], new Map());
  expect(journal.now).toMatchObject({ files: [], pendingFiles: [] });
});

test("is written as soon as its id is known, and found where bw does not say it; one that is refused is not added", async () => {
  const there: RawFile[] = [];
  const arrive = (id: string, attachments: RawFile[]) => async () => {
    there.push(fileOf(id));
    return { attachments };
  };
  await bring(await open("3"), there, arrive("one", [fileOf("one")]));
  expect((await open("3")).now).toMatchObject({ files: [{ item: "item", file: "one" }], pendingFiles: [] });
  expect(await bring(await open("3"), there, arrive("two", []))).toMatchObject({ added: 1, refused: [] });
  const refused = await bring(await open("3"), there, async () => {
    throw new SideRefusal("You have no room.");
  });
  expect(refused).toMatchObject({ added: 0, refused: [{ why: "You have no room." }] });
  const journal = await open("3");
  journal.settle([entry(there)], new Map());
  expect(journal.now.files.map(({ file }) => file)).toEqual(["one", "two"]);
});

test("a journal of before, which knows no files under way, is read", async () => {
  const journal = await open("4");
  journal.change({ pending: { knownItems: [], knownFolders: [], marks: [journal.mark("h")], folders: [] } });
  expect(readFileSync(journal.file, "utf8")).not.toContain("pendingFiles");
  const again = await open("4");
  again.settle([entry([])], new Map());
  expect(again.now).toMatchObject({ items: [{ id: "item" }], pending: null });
});
