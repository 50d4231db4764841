import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { BwFiles } from "../session.ts";
import { BwFolder } from "./bw-folder.ts";
import { bwFailure } from "./refusals.ts";
import { accountIn } from "./tokens.ts";

/** How long a silent server is waited for, where --timeout does not say. */
const PATIENCE: Millis = 60_000;

/**
 * Runs `body` on all of bw's data, tokens too, while no other process does; what it left is sealed if it changed, also when
 * it failed. Throws in our words what bw refuses; Exit 69 when all that is not over within --timeout, 130 at Ctrl-C.
 */
export function changeData<T>(
  context: Context,
  files: BwFiles,
  server: string,
  body: (folder: BwFolder) => Promise<T>,
): Promise<T> {
  const whole = context.flags.timeout ?? PATIENCE;
  const until = performance.now() + whole;
  return files.changing(async () => {
    // Asked for, so that Ctrl-C ends this with a word.
    if (context.interrupted.aborted) throw interrupted();
    const before = files.data(server);
    const folder = new BwFolder(context, server, before, { whole, until });
    let over = false;
    try {
      return await body(folder);
    } catch (error) {
      const failure = bwFailure(error, server);
      over = failure instanceof Exit && failure.code === "signed_out";
      throw failure;
    } finally {
      const after = folder.data();
      folder.remove();
      if (over) await files.signedOut(server);
      else if (after !== null && after !== before && accountIn(after)) await files.keepData(server, after);
    }
  }, whole);
}

/** What a command ends with at Ctrl-C. */
export function interrupted(): Exit {
  return new Exit(EXIT.interrupted, "interrupted", "Interrupted.");
}
