import { PgBoss } from "pg-boss";

/**
 * pg-boss beside us, in a process of its own: `node pgboss.ts <url> <jobs> <workers>`. Each worker fetches one job, completes
 * it and fetches the next; prints jobs a second.
 */

const [, , url = "", jobs = "0", workers = "1"] = process.argv;
const QUEUE = "bench";
const WARM = 500;
const CHUNK = 5000;

const boss = new PgBoss({ connectionString: url, max: Number(workers), supervise: false, schedule: false });
boss.on("error", (error) => {
  throw error;
});
await boss.start();
await boss.createQueue(QUEUE);

async function fill(count: number): Promise<void> {
  for (let made = 0; made < count; made += CHUNK)
    await boss.insert(
      QUEUE,
      Array.from({ length: Math.min(CHUNK, count - made) }, (_, n) => ({ data: { title: `Task number ${made + n}` } })),
    );
}

/** One job at a time until the queue is empty; how many it did. */
async function work(): Promise<number> {
  for (let done = 0; ; done++) {
    const [job] = await boss.fetch(QUEUE);
    if (!job) return done;
    await boss.complete(QUEUE, job.id);
  }
}

async function drain(expected: number): Promise<number> {
  const start = performance.now();
  const done = await Promise.all(Array.from({ length: Number(workers) }, work));
  const seconds = (performance.now() - start) / 1000;
  const total = done.reduce((sum, one) => sum + one, 0);
  if (total !== expected) throw new Error(`pg-boss did ${total} of ${expected} jobs`);
  return total / seconds;
}

await fill(WARM);
await drain(WARM);
await fill(Number(jobs));
const perSecond = await drain(Number(jobs));
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);
await boss.stop({ graceful: false });
