import { test } from "vitest";
import { type LitestreamRun, runLitestream } from "../../../src/dr/litestream/run.ts";
import { inheritedEnv } from "../../../src/kit/child-env.ts";
import type { World } from "../world.ts";

/**
 * A trap of Litestream that alai works around, shown with the real binary. When it is no longer there, the test fails and says
 * which workaround may go. @param file whose workaround it is, from the root of the sources.
 */
export function probe(name: string, file: string, show: () => Promise<void>): void {
  test(name, async () => {
    try {
      await show();
    } catch (cause) {
      throw new Error(`Litestream changed: this workaround in ${file} may go. ${cause}`, { cause });
    }
  });
}

/** The binary under test. */
export function binary(): string {
  return process.env.ALAI_LITESTREAM ?? "litestream";
}

/** Runs it to its end, with no more in its environment than it gets from alai. */
export function run(world: Pick<World, "env">, words: readonly string[]): Promise<LitestreamRun> {
  return runLitestream(binary(), words, { env: { ...inheritedEnv(process.env, false), ...world.env } });
}
