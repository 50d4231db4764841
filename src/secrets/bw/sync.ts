import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { BwFiles } from "../session.ts";
import type { BwProgram } from "./program.ts";
import { bwFailure } from "./refusals.ts";
import { accountIn } from "./tokens.ts";
import { BwFolder } from "./with-data.ts";

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
    const folder = new BwFolder(context, before);
    try {
      return await body(folder);
    } catch (error) {
      throw bwFailure(error, server);
    } finally {
      const after = folder.data();
      folder.remove();
      if (after !== null && after !== before && accountIn(after)) await files.keepData(server, after);
    }
  });
}

/** Asks the server for what changed. Throws Exit 4 when it has signed this machine out, 69 when it does not answer. */
export async function syncData(
  context: Context,
  program: BwProgram,
  files: BwFiles,
  server: string,
  key: string,
): Promise<void> {
  await changeData(context, files, server, async (folder) => {
    await folder.run(program, { args: ["sync"], secrets: { BW_SESSION: key } });
    if (accountIn(folder.data() ?? "{}")) return;
    throw new Exit(EXIT.signIn, "signed_out", `${server} has signed this machine out.`, "Type alai secrets unlock.");
  });
}
