import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { interleave, median } from "../measure.ts";
import type { Figure } from "../report.ts";
import type { Bench } from "./bench.ts";
import { BINARY, cleanEnv, end, NPM } from "./served.ts";

const TASKS = 8378;
const LONGEST_MS = 30_000;
const READY = "GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";

/** From the start of the process to the first 200 of `/readyz`, beside an empty Node program; in turns. */
export async function startToReady(bench: Bench): Promise<Figure[]> {
  bench.progress("start to ready");
  const file = await bench.file(TASKS, 127);
  const times = { node: [] as number[], npm: [] as number[], binary: [] as number[] };
  const rounds = bench.quick ? 7 : 21;
  for (let round = -1; round < rounds; round++) {
    const node = interleave([{ name: "node", argv: [process.execPath, "-e", "0"] }], 1).get("node") ?? [];
    const npm = await ready(NPM, file, bench.dir);
    const binary = await ready(BINARY, file, bench.dir);
    // The first round fills caches.
    if (round < 0) continue;
    times.node.push(...node);
    times.npm.push(npm);
    times.binary.push(binary);
  }
  const figure = (build: "npm" | "binary", name: string): Figure => ({
    what: `${name}: start to ready, SQLite ÷ \`node -e 0\``,
    value: median(times[build]) / median(times.node),
    bar: 6,
    moonshot: 4,
    detail: `${median(times[build]).toFixed(1)} ms ÷ ${median(times.node).toFixed(1)} ms`,
  });
  return [figure("npm", "npm build"), figure("binary", "binary")];
}

async function ready(program: readonly string[], file: string, home: string): Promise<number> {
  const port = await freePort();
  const [command = "", ...args] = program;
  const start = performance.now();
  const child = spawn(command, [...args, "serve", "--port", `${port}`, "--db", file], {
    env: cleanEnv(home),
    stdio: "ignore",
  });
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null || performance.now() - start > LONGEST_MS)
        throw new Error("the server did not start");
      await sleep(1);
    }
    return performance.now() - start;
  } finally {
    await end(child);
  }
}

/** True when `/readyz` answers 200 now. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(READY));
    socket.once("data", (bytes) => {
      resolve(bytes.toString("latin1").startsWith("HTTP/1.1 200"));
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
    socket.once("end", () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
