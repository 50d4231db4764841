import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Checker } from "../../../src/dr/copy/check.ts";
import { listReplicas } from "../../../src/dr/restore/replicas.ts";
import { restoreDatabase } from "../../../src/dr/restore/restore.ts";
import { chooseTarget } from "../../../src/dr/restore/target.ts";
import { TestProcess } from "../process.ts";
import { until } from "../world.ts";
import { ReplicaFolder, SmallDisk } from "./replica.ts";

/** Restores `one` with no command in between. */
async function restored(replicas: ReplicaFolder, out: string) {
  const checker = new Checker();
  try {
    const files = (await listReplicas(replicas.storage)).get("one")?.[0]?.files ?? [];
    const job = { name: "one", storage: replicas.storage, target: chooseTarget("one", files, {}), out };
    return await restoreDatabase({ ...job, checker, check: { mode: "quick" } });
  } finally {
    await checker.close();
  }
}

test("a full disk is said in one sentence, and nothing is left on it", async ({ skip }) => {
  using replicas = new ReplicaFolder();
  const small = join(replicas.folder, "small");
  using _ = new SmallDisk(small, skip);
  replicas.write("one", [1, 3], { rows: 19_000 });
  replicas.write("two", [1, 3]);
  const one = await replicas.alai("restore", "one", "-o", join(small, "one.db"));
  expect(one).toEqual({
    ...{ exit: 69, out: "" },
    err: `There is no room for one on the disk of ${small}.\nMake room, or restore to another disk with --output FILE.\n`,
  });
  expect(readdirSync(small)).toEqual([]);
  const all = await replicas.alai("restore", "--all", "-o", small, "--json=name,error");
  expect(all.exit).toBe(69);
  expect(JSON.parse(all.out)).toEqual([
    { name: "one", error: expect.stringContaining("no room") },
    { name: "two", error: null },
  ]);
  expect(readdirSync(small)).toEqual(["two.db"]);
});

test("what should be a folder and is a file is said to be none", async () => {
  using replicas = new ReplicaFolder();
  replicas.write("one", [1, 3]);
  const file = join(replicas.folder, "file");
  writeFileSync(file, "precious");
  for (const out of [join(file, "one.db"), join(file, "below", "one.db")])
    await expect(restored(replicas, out)).rejects.toMatchObject({
      exit: 1,
      message: expect.stringMatching(/is no folder\.$/),
    });
});

test("an older epoch that stands in for the newest one is said, unless it was asked for", async () => {
  using replicas = new ReplicaFolder();
  replicas.write("one", [1, 3]);
  replicas.write("two", [1, 3]);
  replicas.write("two", [1, 2], { epoch: 2 });
  const restore = (...words: string[]) => replicas.alai("restore", ...words, "--json=name,epoch");
  const both = await restore("one", "two", "-o", join(replicas.folder, "both"));
  expect(JSON.parse(both.out)).toEqual([
    { name: "one", epoch: 1 },
    { name: "two", epoch: 2 },
  ]);
  expect(both.err).toBe("alai: one is of epoch 1: storage has nothing of it in epoch 2 yet.\n");
  const asked = await restore("one", "--epoch", "1", "-o", join(replicas.folder, "first.db"));
  expect({ exit: asked.exit, err: asked.err }).toEqual({ exit: 0, err: "" });
});

test("one database, told by its name and by its path, is restored once", async () => {
  using replicas = new ReplicaFolder();
  replicas.write("one", [1, 3]);
  const out = join(replicas.folder, "out.db");
  const { exit, out: rows } = await replicas.alai("restore", "one", "one.db", "-o", out, "--json=name,error");
  expect({ exit, rows: JSON.parse(rows) }).toEqual({ exit: 0, rows: [{ name: "one", error: null }] });
  expect(JSON.parse((await replicas.alai("prove", "one", "one.db", "--json=name")).out)).toEqual([{ name: "one" }]);
});

test("what a restore left that was killed is removed by the next one to the same place, and nobody else's", async () => {
  using replicas = new ReplicaFolder();
  replicas.write("one", [1, 3]);
  const ended = new TestProcess(process.execPath, ["-e", ""], {});
  await until("its end", () => ended.isOver);
  const folder = join(replicas.folder, "place");
  mkdirSync(folder);
  const kept = [`one.db.restoring-${process.ppid}`, `two.db.restoring-${ended.child.pid}`];
  for (const name of [`one.db.restoring-${ended.child.pid}`, ...kept]) writeFileSync(join(folder, name), "x");
  await restored(replicas, join(folder, "one.db"));
  expect(readdirSync(folder).sort()).toEqual(["one.db", ...kept].sort());
});
