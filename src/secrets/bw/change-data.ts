import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import type { BwFiles } from "../session.ts";
import { BwFolder } from "./bw-folder.ts";
import { bwFailure } from "./refusals.ts";
import { accountIn } from "./tokens.ts";

/**
 * Runs `body` on all of bw's data, tokens too, while no other process does; what it left is sealed if it changed, also when
 * it failed. Throws in our words what bw refuses.
 */
export function changeData<T>(
  context: Context,
  files: BwFiles,
  server: string,
  body: (folder: BwFolder) => Promise<T>,
): Promise<T> {
  return files.changing(async () => {
    const before = files.data(server);
    const folder = new BwFolder(context, server, before);
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
  });
}
