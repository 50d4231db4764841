import { Logger, makeWorkerUtils, runOnce } from "graphile-worker";

/**
 * graphile-worker beside us, in a process of its own: `node graphile.ts <url> <jobs> <workers>`. Every job is taken and
 * completed by a statement of its own (no localQueue, no batches); prints jobs a second, from the first job's start.
 */

const [, , url = "", jobs = "0", workers = "1"] = process.argv;
const WARM = 500;
const CHUNK = 5000;
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ connectionString: url, logger });
await utils.migrate();

async function fill(count: number): Promise<void> {
  for (let made = 0; made < count; made += CHUNK)
    await utils.addJobs(
      Array.from({ length: Math.min(CHUNK, count - made) }, (_, n) => ({
        identifier: "bench",
        payload: { title: `Task number ${made + n}` },
      })),
    );
}

async function drain(expected: number): Promise<number> {
  let done = 0;
  let start = 0;
  await runOnce({
    connectionString: url,
    logger,
    noHandleSignals: true,
    preset: { worker: { concurrentJobs: Number(workers), maxPoolSize: Number(workers) } },
    taskList: {
      bench() {
        if (done === 0) start = performance.now();
        done += 1;
      },
    },
  });
  const seconds = (performance.now() - start) / 1000;
  if (done !== expected) throw new Error(`graphile-worker did ${done} of ${expected} jobs`);
  return done / seconds;
}

await fill(WARM);
await drain(WARM);
await fill(Number(jobs));
const perSecond = await drain(Number(jobs));
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);
await utils.release();
