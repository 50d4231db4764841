import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that systems hand out by themselves (from 32768 up), a part for each worker of a test run. */
const FIRST = 12_000;
const EACH = 200;
const WORKERS = 100;

let taken = 0;

/**
 * A port of this machine that nobody listens at and nobody is given by chance: one that is closed stays closed, and a server
 * that was stopped finds it again, while other tests run beside. Throws when none is free.
 */
export async function quietPort(): Promise<number> {
  const worker = Number(process.env.VITEST_POOL_ID ?? 0) % WORKERS;
  for (let tries = 0; tries < EACH; tries++) {
    const port = FIRST + worker * EACH + (taken++ % EACH);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port of ${EACH} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isOpen = await once(server.listen(port, "127.0.0.1"), "listening").then(
    () => true,
    () => false,
  );
  if (isOpen) await new Promise((resolve) => server.close(resolve));
  return isOpen;
}
