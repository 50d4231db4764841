import type { Context } from "../../kit/context.ts";
import type { BwFiles } from "../session.ts";
import { changeData } from "./change-data.ts";
import type { BwProgram } from "./program.ts";
import { BwRefusal } from "./run.ts";
import { DONE } from "./run-until.ts";
import { accountIn } from "./tokens.ts";

/** Asks the server for what changed. Throws Exit 4 when it has signed this machine out, 69 when it does not answer. */
export async function syncData(
  context: Context,
  program: BwProgram,
  files: BwFiles,
  server: string,
  key: string,
): Promise<void> {
  await changeData(context, files, server, async (folder) => {
    await folder.run(program, { args: ["sync"], secrets: { BW_SESSION: key } }, DONE.sync);
    if (accountIn(folder.data() ?? "{}")) return;
    throw new BwRefusal("logged out");
  });
}
