import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { World } from "../world.ts";
import { probe, run } from "./probe.ts";

/** A world whose one database was sent once. */
async function sent(): Promise<{
  world: World;
  config: string;
  restore: (...words: string[]) => ReturnType<typeof run>;
}> {
  const world = await World.make();
  world.sql("one", "INSERT INTO marker VALUES (1, 1, '')");
  const config = world.writeConfig();
  expect((await run(world, ["replicate", "-once", "-config", config])).exit).toBe(0);
  return { world, config, restore: (...words) => run(world, ["restore", "-config", config, ...words]) };
}

probe("restore of all does not exist: it needs a path", "src/dr/restore (one database after the other)", async () => {
  const { world, restore } = await sent();
  await using _ = world;
  const { exit, stderr } = await restore("-if-replica-exists");
  expect([exit, stderr]).toEqual([1, expect.stringContaining("database path or replica URL required")]);
});

probe(
  "an existing output is refused, so a restore in a loop restores nothing",
  "src/dr/copy (restore aside, then swap)",
  async () => {
    const { world, restore } = await sent();
    await using _ = world;
    const { exit, stderr } = await restore(world.file("one"));
    expect([exit, stderr]).toEqual([1, expect.stringContaining("output path already exists and is not empty")]);
  },
);

probe(
  "exit 0 also means that nothing was restored",
  "src/dr/restore (what is there afterwards is looked at)",
  async () => {
    const { world, restore } = await sent();
    await using _ = world;
    const output = join(world.folder, "out.db");
    expect((await restore("-if-db-not-exists", world.file("one"))).exit).toBe(0);
    const config = world.writeConfig({ epoch: 7 });
    const none = await run(world, [
      "restore",
      "-config",
      config,
      "-if-replica-exists",
      "-o",
      output,
      world.file("one"),
    ]);
    expect([none.exit, existsSync(output)]).toEqual([0, false]);
  },
);

probe("a time after the newest change silently gives the newest", "src/dr/restore (says how old it is)", async () => {
  const { world, restore } = await sent();
  await using _ = world;
  const output = join(world.folder, "out.db");
  const { exit, stderr } = await restore("-timestamp", "2099-01-01T00:00:00Z", "-o", output, world.file("one"));
  expect([exit, stderr, existsSync(output)]).toEqual([0, "", true]);
});

probe("a restored file says that it has a WAL, and has none", "src/dr/copy (bytes 18 and 19)", async () => {
  const { world, restore } = await sent();
  await using _ = world;
  const output = join(world.folder, "out.db");
  await restore("-o", output, world.file("one"));
  expect([...readFileSync(output).subarray(18, 20)]).toEqual([2, 2]);
});

probe(
  "another file's journal beside the output is left there, and would be played back",
  "src/dr/restore (target)",
  async () => {
    const { world, restore } = await sent();
    await using _ = world;
    const output = join(world.folder, "out.db");
    for (const end of ["-wal", "-journal"]) writeFileSync(`${output}${end}`, "of another database");
    const { exit } = await restore("-o", output, world.file("one"));
    expect([exit, existsSync(`${output}-wal`), existsSync(`${output}-journal`)]).toEqual([0, true, true]);
  },
);
