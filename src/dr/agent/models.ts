import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import type { Change } from "../../models/changes.ts";
import { manifestReader } from "../../models/manifest.ts";
import { asOnlyWatcher } from "../../models/only-one.ts";
import { watchModels } from "../../models/watch.ts";
import type { Log } from "./log.ts";
import { every } from "./loop.ts";

/** Between two tries while somebody else watches. */
const AGAIN: Millis = 15_000;

export interface ModelsOptions {
  /** The manifest's path. */
  readonly file: string;
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly again?: Millis;
}

/**
 * Looks at the servers of models as `alai models watch` does, until the signal. In this process: measured with four servers of forty
 * models each, a process of its own takes 72 MB, and here it is lost among what listings of storage leave behind. What goes wrong is
 * caught here. Whoever watches already goes on, and this one takes over when there is nobody.
 */
export async function watchUntil(context: Context, { file, signal, log, again = AGAIN }: ModelsOptions): Promise<void> {
  const saying: Context = { ...context, warn: (sentence) => log.warn(`models: ${sentence}`) };
  const manifest = manifestReader(context, file);
  const changed = (changes: readonly Change[]) => {
    for (const { what, name, now, was, why } of changes) log.info("models: a change", { what, name, now, was, why });
  };
  await every({ name: "models", interval: again, signal, log }, async () => {
    try {
      await asOnlyWatcher(context, () => watchModels(saying, { manifest, once: false, signal, changed }));
    } catch (error) {
      if (!(error instanceof Exit && error.code === "watched")) throw error;
    }
  });
}
