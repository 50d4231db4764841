import { SqliteLedger } from "@alai/core/sqlite/ledger";

/** The SQLite ledger without HTTP, a process of its own: `node direct.ts <file> <first> <count>` claims that many tasks, by as many callers at once as the server has clients. */

const [, , file = "", first = "1", count = "0"] = process.argv;
const WARM = 2000;
const TTL = 600_000;
const CALLERS = 32;

const ledger = await SqliteLedger.open(file, { missing: "fail" });

async function claim(from: number, tasks: number): Promise<number> {
  const start = performance.now();
  let next = from;
  const caller = async (session: number) => {
    while (next < from + tasks) await ledger.claim([next++], { actor: "bench", session: `s${session}` }, TTL);
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, session) => caller(session)));
  return (tasks * 1000) / (performance.now() - start);
}

await claim(Number(first), WARM);
const perSecond = await claim(Number(first) + WARM, Number(count));
ledger.close();
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);
