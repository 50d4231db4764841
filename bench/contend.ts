import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SqliteLedger } from "@alai/core/sqlite/ledger";

/** Sixteen processes that claim and release flat out: how long did the unluckiest wait? */

export interface Contention {
  readonly longestMs: number;
  readonly claims: number;
  readonly errors: number;
}

export async function contend(file: string, processes: number, seconds: number): Promise<Contention> {
  const results = await Promise.all(Array.from({ length: processes }, (_, n) => startOne(file, n, seconds)));
  return {
    longestMs: Math.max(...results.map((result) => result.longestMs)),
    claims: results.reduce((sum, result) => sum + result.claims, 0),
    errors: results.reduce((sum, result) => sum + result.errors, 0),
  };
}

function startOne(file: string, n: number, seconds: number): Promise<Contention> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), file, String(n), String(seconds)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    child.on("exit", (code) =>
      code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`contender ${n} ended with ${code}`)),
    );
  });
}

async function claimFor(file: string, n: number, seconds: number): Promise<Contention> {
  const ledger = await SqliteLedger.open(file, { missing: "fail" });
  const me = { actor: "bench", session: String(n) };
  const end = performance.now() + seconds * 1000;
  let longestMs = 0;
  let claims = 0;
  let errors = 0;
  for (let round = 0; performance.now() < end; round++) {
    const id = 1 + ((n * 7 + round) % 100);
    const start = performance.now();
    await ledger.claim([id], me, 60_000).then(
      () => {
        claims += 1;
      },
      (error) => {
        if (error.name !== "Refusal") errors += 1;
      },
    );
    longestMs = Math.max(longestMs, performance.now() - start);
    await ledger.release([id], me).catch((error) => {
      if (error.name !== "Refusal") errors += 1;
    });
  }
  ledger.close();
  return { longestMs, claims, errors };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file = "", n = "0", seconds = "1"] = process.argv;
  process.stdout.write(JSON.stringify(await claimFor(file, Number(n), Number(seconds))));
}
