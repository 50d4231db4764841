import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MANIFEST_SCHEMA, manifestSchemaText } from "../../../packaging/manifest-schema.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FILE = join(ROOT, "docs/examples/alai/dr.manifest.yaml");
const PLAN = join(ROOT, "../shared/plan/databases.tsv");

const manifest = parseManifest(readFileSync(FILE, "utf8"), FILE);
const [head = [], ...rows] = readFileSync(PLAN, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => line.split("\t"));

/** The plan's rows as the manifest should have them; retention and sync in ms. */
const planned = rows.map((row) => {
  const cell = (name: string) => row[head.indexOf(name)] ?? "";
  const size = cell("size_bytes");
  return {
    path: cell("name"),
    tier: cell("tier"),
    retention: Number.parseInt(cell("retention"), 10) * 3_600_000,
    sync: Number.parseInt(cell("sync_interval"), 10) * 1000,
    size: size === "" ? null : Number(size),
  };
});

test("the real manifest has every database of the plan, row by row", () => {
  const written = manifest.databases.map(({ path, tier, syncInterval, size }) => ({
    ...{ path, tier: tier.name, retention: tier.retention, sync: syncInterval, size },
  }));
  expect(written).toEqual(planned);
  expect(written).toHaveLength(69);
});

test("its tiers are as many and as strict as the plan's", () => {
  const tiers = manifest.tiers.map(({ name, heartbeat, follow, retention }) => {
    const count = manifest.databases.filter(({ tier }) => tier.name === name).length;
    return [name, count, retention / 3_600_000, heartbeat, follow];
  });
  expect(tiers).toEqual([
    ["p0-critical", 13, 168, 10_000, true],
    ["p0-financial", 4, 720, 10_000, true],
    ["p1", 42, 72, 60_000, true],
    ["p2", 10, 24, null, false],
  ]);
});

test("replicas keep their names: the file's, and mc-db of mc.db", () => {
  const strange = manifest.databases.filter(({ name, path }) => `${name}.db` !== path);
  expect(strange.map(({ name, path }) => [name, path])).toEqual([["mc-db", "mc.db"]]);
  expect(manifest.storage).toEqual({
    ...{ type: "azure", account: "alaibackups0ebb", container: "system-db-backups" },
    ...{ endpoint: null, prefix: "litestream" },
  });
});

test("what is sent more seldom than its tier says", () => {
  const own = manifest.databases.filter(({ tier, syncInterval }) => tier.syncInterval !== syncInterval);
  expect(own.map(({ name, syncInterval }) => [name, syncInterval])).toEqual([
    ["flywheel", 30_000],
    ["hivemind-archive", 10_000],
  ]);
});

test("the JSON schema beside it is what `node packaging/manifest-schema.ts` writes", () => {
  expect(JSON.parse(readFileSync(MANIFEST_SCHEMA, "utf8"))).toEqual(JSON.parse(manifestSchemaText()));
});
