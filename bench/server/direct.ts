import { SqliteLedger } from "@alai/core/sqlite/ledger";

/** The SQLite ledger without HTTP, a process of its own: `node direct.ts <file> <first> <count>` claims that many tasks, one by one. */

const [, , file = "", first = "1", count = "0"] = process.argv;
const WARM = 2000;
const TTL = 600_000;

const ledger = await SqliteLedger.open(file, { missing: "fail" });

async function claim(from: number, tasks: number): Promise<number> {
  const start = performance.now();
  for (let id = from; id < from + tasks; id++)
    await ledger.claim([id], { actor: "bench", session: `s${id % 32}` }, TTL);
  return (tasks * 1000) / (performance.now() - start);
}

await claim(Number(first), WARM);
const perSecond = await claim(Number(first) + WARM, Number(count));
ledger.close();
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);
