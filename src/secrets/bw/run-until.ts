import type { ChildProcess } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../../kit/context.ts";
import type { BwFolder } from "./bw-folder.ts";
import type { BwProgram } from "./program.ts";
import { type BwCall, runBw } from "./run.ts";

/** What bw says when it has done all there is to do, and written it. */
export const DONE = {
  config: /Saved setting/,
  apiKey: /logged in/i,
  import: /^Imported /m,
  sync: /Syncing complete/,
  /** Its session key, by `--raw`. */
  session: /^[A-Za-z0-9+/]{86}==\s*$/m,
} as const;

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
  // Nothing can be held still there.
  if (context.platform === "win32") return runBw(context, program, folder.path, call);
  let said = "";
  let ending: Promise<void> | null = null;
  const watch = (child: ChildProcess | null) => {
    call.running?.(child);
    child?.stdout?.on("data", (text: string) => {
      said += text;
      if (done.test(said)) ending ??= end(child, folder);
    });
  };
  try {
    return await runBw(context, program, folder.path, { ...call, running: watch });
  } catch (error) {
    if (done.test(said)) return said;
    throw error;
  } finally {
    await ending;
    // Of a bw that was ended with it in its hands: the next one would wait ten seconds.
    rmSync(join(folder.path, "data.json.lock"), { recursive: true, force: true });
  }
}

/** Held still until its file is whole, so that it is not ended in the middle of a write. */
async function end(child: ChildProcess, folder: BwFolder): Promise<void> {
  for (let tries = 0; tries < 100 && child.exitCode === null; tries++) {
    child.kill("SIGSTOP");
    await stopped(child.pid);
    if (folder.data() !== null) break;
    child.kill("SIGCONT");
    await sleep(10);
  }
  child.kill("SIGKILL");
}

/** A signal takes effect when the system gets to it. */
async function stopped(pid: number | undefined): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      if (/^[TtZX]/.test(stat.slice(stat.lastIndexOf(")") + 2))) return;
    } catch {
      // No such folder: another system, or it has ended.
      return void (await sleep(10));
    }
    await sleep(1);
  }
}
