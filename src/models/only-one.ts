import { StoreError } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { withLock } from "../kit/lock.ts";
import { modelsFolder } from "./files.ts";

/** Long enough for one that just ends. */
const PATIENCE = 1000;

/** Runs `body` as the only watcher of this user on this machine. Throws Exit 1 while there is another. */
export async function asOnlyWatcher<T>(context: Context, body: () => Promise<T>): Promise<T> {
  let began = false;
  const begin = () => {
    began = true;
    return body();
  };
  try {
    return await withLock(modelsFolder(context.paths.data), "watch", begin, PATIENCE);
  } catch (error) {
    if (began || !(error instanceof StoreError && error.code === "locked")) throw error;
    throw new Exit(
      EXIT.refused,
      "watched",
      "The models are watched already, by another process here.",
      "Type alai models status to see what it found.",
    );
  }
}
