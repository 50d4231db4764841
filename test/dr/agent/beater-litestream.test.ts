import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Beater } from "../../../src/dr/heartbeat/beater.ts";
import { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";

// With the real Litestream, which puts its own row into a database after each checkpoint.
let world: World;
let litestream: TestProcess;
let db: DatabaseSync;
let beater: Beater;
beforeAll(async () => {
  world = await World.make();
  const config = join(world.folder, "often.yml");
  const replica = { type: "file", path: join(world.folder, "storage", "e1", "one") };
  const often = { "monitor-interval": "100ms", "checkpoint-interval": "200ms" };
  writeFileSync(config, JSON.stringify({ dbs: [{ path: world.file("one"), ...often, replica }] }));
  litestream = new TestProcess(process.env.ALAI_LITESTREAM ?? "litestream", ["replicate", "-config", config], {
    ...process.env,
    ...world.env,
  });
  db = new DatabaseSync(world.file("one"), { timeout: 20_000 });
  beater = new Beater(world.file("one"), null);
  await until("Litestream's row", () => rowOf() > 0);
  await until("the first heartbeat", () => beat() === "written");
});
afterAll(async () => {
  beater?.close();
  db?.close();
  await litestream?.kill();
  await world?.[Symbol.asyncDispose]();
});

/** Litestream's row; 0: it has made none yet. */
function rowOf(): number {
  try {
    return Number(db.prepare("SELECT seq FROM _litestream_seq").get()?.seq ?? 0);
  } catch {
    return 0;
  }
}

function beat(): string {
  const { kind } = beater.beat(1, Date.now);
  return kind;
}

/** Litestream may have the write lock for a moment. */
async function settled(): Promise<string> {
  return until("that nobody is in the way", () => {
    const kind = beat();
    return kind === "busy" ? null : kind;
  });
}

async function untilCheckpoint(): Promise<void> {
  const before = rowOf();
  await until("a checkpoint", () => rowOf() > before);
}

it("a commit between the same two looks as a checkpoint of Litestream's gets its heartbeat; the checkpoint alone gets none", async () => {
  for (let round = 1; round <= 4; round++) {
    db.exec(`INSERT INTO marker (at_ms, filler) VALUES (${round}, 'of a service')`);
    await untilCheckpoint();
    expect(await settled()).toBe("written");
    // What is left to do after the heartbeat is Litestream's own.
    await untilCheckpoint();
    expect(await settled()).toBe("quiet");
  }
});
