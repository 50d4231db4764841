import type { ChildProcess } from "node:child_process";
import type { Context } from "../../kit/context.ts";
import type { BwFolder } from "../bw/bw-folder.ts";
import type { BwProgram } from "../bw/program.ts";
import { type BwCall, runBw } from "../bw/run.ts";

/**
 * Runs bw until it has said what it says when all is done, and ends it then: it would go on for two seconds, or for as long as
 * another fetch of everything takes.
 */
export async function runUntil(
  context: Context,
  program: BwProgram,
  folder: BwFolder,
  done: RegExp,
  call: BwCall,
): Promise<string> {
  let said = "";
  const watch = (child: ChildProcess | null) => {
    folder.serve(child?.pid ?? null, () => child?.kill("SIGKILL"));
    child?.stdout?.on("data", (text: string) => {
      said += text;
      if (done.test(said)) child.kill("SIGKILL");
    });
  };
  try {
    return await runBw(context, program, folder.path, { ...call, running: watch });
  } catch (error) {
    if (done.test(said)) return said;
    throw error;
  }
}
