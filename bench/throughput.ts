import { DatabaseSync } from "node:sqlite";
import { SqliteLedger } from "@alai/core/sqlite/ledger";
import { median } from "./measure.ts";

/** Durable claims a second in one process, beside a bare prepared loop on the same file; in turns, so both meet the same disk. */
export async function claimThroughput(
  file: string,
  rounds: number,
  ms: number,
): Promise<{ ours: number; bare: number }> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(bareLoop(file, ms));
    ours.push(await claimLoop(file, ms));
  }
  return { ours: median(ours), bare: median(bare) };
}

/** What a claim must at least do: take the lock, change the row, write the journal, commit. */
function bareLoop(file: string, ms: number): number {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = FULL");
  const begin = db.prepare("BEGIN IMMEDIATE");
  const update = db.prepare(
    "UPDATE tasks SET lease_holder = ?, lease_until = ?, lease_fence = lease_fence + 1 WHERE id = ?",
  );
  const insert = db.prepare(
    "INSERT INTO alai_events (task_id, kind, at, actor, session, fence, data) VALUES (?, 'acquired', ?, 'bench', ?, ?, ?)",
  );
  const commit = db.prepare("COMMIT");
  const data = JSON.stringify({ ttl: 60_000, until: 1_800_000_000_000 });
  const done = loop(ms, (n) => {
    const at = new Date().toISOString().replace("T", " ").slice(0, 23);
    begin.run();
    update.run(`bench:${n}`, at, 1 + (n % 100));
    insert.run(1 + (n % 100), at, String(n), n, data);
    commit.run();
  });
  db.exec("UPDATE tasks SET lease_holder = NULL, lease_until = NULL WHERE lease_holder IS NOT NULL");
  db.close();
  return done;
}

function loop(ms: number, body: (n: number) => void): number {
  const start = performance.now();
  let n = 0;
  while (performance.now() - start < ms) body(n++);
  return (n * 1000) / (performance.now() - start);
}

/** Every claim is a takeover of a lease that just ran out: the dearest kind. */
async function claimLoop(file: string, ms: number): Promise<number> {
  let now = Date.now();
  const ledger = await SqliteLedger.open(file, { missing: "fail", clock: () => now });
  const start = performance.now();
  let n = 0;
  while (performance.now() - start < ms) {
    now += 1;
    await ledger.claim([1 + (n % 100)], { actor: "bench", session: String(n) }, 1);
    n += 1;
  }
  const rate = (n * 1000) / (performance.now() - start);
  ledger.close();
  return rate;
}
