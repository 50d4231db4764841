import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KNOWN } from "../../../src/dr/adopt/keys.ts";
import { World } from "../world.ts";
import { binary, probe, run } from "./probe.ts";

/** A config of this world's databases with more in it. @param entry lines of each database. @param replica keys of each replica. */
function config(world: World, { top = "", entry = "", replica = "" }): string {
  const file = join(world.folder, "litestream.yml");
  const dbs = world.databases.map(
    (name, at) => `  - path: ${world.file(name)}
${entry.replaceAll("AT", String(at + 1))}    replica: { type: file, path: ${world.folder}/r/${name}${replica} }
`,
  );
  writeFileSync(file, `${top}dbs:\n${dbs.join("")}`);
  return file;
}

probe("keys that it does not know are taken without a word", "src/dr/manifest/walk.ts and src/dr/adopt", async () => {
  await using world = await World.make();
  const file = config(world, { top: "banana: 1\n", entry: "    apple: 1\n", replica: ", retention: banana" });
  const { exit, stdout, stderr } = await run(world, ["databases", "-json", "-config", file]);
  expect([exit, JSON.parse(stdout), stderr]).toEqual([0, [{ path: world.file("one"), replica: "file" }], ""]);
});

probe("two retentions in one process are refused", "src/dr/render/configs.ts (a process for each)", async () => {
  await using world = await World.make({ databases: ["one", "two"] });
  const file = config(world, { entry: "    snapshot: { retention: AT0h }\n" });
  const { exit, stderr } = await run(world, ["databases", "-config", file]);
  expect([exit, stderr]).toEqual([1, expect.stringContaining("conflicting database snapshot retentions")]);
});

probe("a config cannot be checked: -config-validate does not exist", "src/dr/render/validate.ts", async () => {
  await using world = await World.make();
  const { exit, stdout, stderr } = await run(world, ["replicate", "-config-validate", "-config", config(world, {})]);
  expect(exit).not.toBe(0);
  expect(stdout + stderr).toContain("flag provided but not defined: -config-validate");
});

probe(
  "snapshots thrown away before the next is taken are accepted",
  "src/dr/manifest/rules.ts (checkTiers)",
  async () => {
    await using world = await World.make();
    const file = config(world, { top: "snapshot: { interval: 24h, retention: 1m }\n" });
    const { exit, stderr } = await run(world, ["replicate", "-once", "-config", file]);
    expect([exit, stderr]).toEqual([0, expect.not.stringMatching(/retention|ERROR|WARN/)]);
  },
);

probe("a second replica is refused", "src/dr/adopt/read.ts (the first is taken)", async () => {
  await using world = await World.make();
  const file = join(world.folder, "two.yml");
  const replica = (name: string) => `{ type: file, path: ${world.folder}/${name} }`;
  writeFileSync(file, `dbs: [{ path: ${world.file("one")}, replicas: [${replica("a")}, ${replica("b")}] }]\n`);
  const { exit, stderr } = await run(world, ["databases", "-config", file]);
  expect([exit, stderr]).toEqual([1, expect.stringContaining("multiple replicas")]);
});

probe("a $ in a path is expanded, save with -no-expand-env", "src/dr/render/configs.ts (replicateWords)", async () => {
  await using world = await World.make();
  const file = join(world.folder, "dollar.yml");
  writeFileSync(file, "dbs: [{ path: /srv/a$HOME.db, replica: { type: file, path: /srv/r } }]\n");
  const paths = async (...words: string[]) =>
    (JSON.parse((await run(world, ["databases", "-json", ...words, "-config", file])).stdout) as { path: string }[])[0]
      ?.path;
  expect(await paths("-no-expand-env")).toBe("/srv/a$HOME.db");
  expect(await paths()).not.toBe("/srv/a$HOME.db");
});

probe("a database of 0 bytes is written to at once", "src/dr/manifest/check/disk.ts (planned as empty)", async () => {
  await using world = await World.make();
  writeFileSync(world.file("one"), "");
  for (const end of ["-wal", "-shm"]) writeFileSync(`${world.file("one")}${end}`, "");
  await run(world, ["replicate", "-once", "-config", config(world, {})]);
  expect(statSync(world.file("one")).size).toBeGreaterThan(0);
});

test("the keys that alai takes for known are in the binary, and those it takes for ignored are not", () => {
  const program = readFileSync(binary()).toString("latin1");
  const isThere = (key: string) => new RegExp(`yaml:"${key}[",]`).test(program);
  for (const keys of Object.values(KNOWN)) expect([...keys].filter((key) => !isThere(key))).toEqual([]);
  for (const key of ["retention-check-interval", "snapshot-interval", "max-checkpoint-page-count"])
    expect([key, isThere(key)]).toEqual([key, false]);
});
