import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresServer } from "../../postgres/server.ts";
import type { Random } from "../random.ts";
import type { Replica } from "./replica.ts";

/** What is done to the servers while clients work, one thing at a time. */
export interface Struck {
  stops: number;
  terminated: number;
  kills: number;
}

/** Strikes every second or so until `done` fires; everything runs again when it resolves. */
export async function strike(
  random: Random,
  { postgres, database, replicas }: { postgres: PostgresServer; database: string; replicas: readonly Replica[] },
  done: AbortSignal,
): Promise<Struck> {
  const struck = { stops: 0, terminated: 0, kills: 0 };
  const faults = [
    async () => {
      struck.stops += 1;
      await postgres.stop("immediate");
      await sleep(random.between(50, 600));
      await postgres.resume();
    },
    async () => {
      const { rows } = await postgres.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${database}' AND pid <> pg_backend_pid()`,
      );
      struck.terminated += rows.length;
    },
    async () => {
      struck.kills += 1;
      const replica = random.pick(replicas);
      await replica?.kill();
      await sleep(random.between(0, 300));
      await replica?.start();
    },
  ];
  // Every kind comes about, however few strikes a fast run leaves time for.
  for (let i = 0; !done.aborted; i++) {
    await sleep(random.between(1500, 3500), undefined, { signal: done }).catch(() => {});
    if (!done.aborted) await faults[i % faults.length]?.();
  }
  return struck;
}
