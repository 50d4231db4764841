import type { Millis } from "@alai/core";
import type { Log } from "./log.ts";
import { findProcesses, lookAtProcess, type Running } from "./processes.ts";
import type { AgentState, StartedChild } from "./state.ts";

/** How long a Litestream may take to write what it holds. Longer than it is told to take itself. */
const FLUSH: Millis = 6000;
const LOOK_AGAIN: Millis = 50;

export interface OrphanSearch {
  readonly state: AgentState;
  readonly platform: string;
  readonly log: Log;
  /** The folder of rendered configs, which is on the command line of every Litestream that an agent starts. */
  readonly configs: string;
}

/**
 * Ends Litestream processes that an agent before this one started and did not end, because it was killed: two of them on one
 * database damage its replica. They are known by pid, start time and command line, as kept before; and, should the agent have died
 * between starting one and writing it down, by the rendered config on their command line.
 * @returns how many were ended. Throws when one cannot be ended, or processes cannot be listed: then none may be started.
 */
export async function endOrphans({ state, platform, log, configs }: OrphanSearch): Promise<number> {
  const found = new Map<number, Running>();
  for (const child of state.children()) {
    const running = await lookAtProcess(platform, child.pid);
    if (running && isChild(running, child)) found.set(running.pid, running);
  }
  for (const running of await findProcesses(platform, `-config ${configs}/`))
    if (/(^|\s)replicate(\s|$)/.test(running.command)) found.set(running.pid, running);
  for (const running of found.values()) {
    log.warn("a Litestream of an agent that was killed still ran: it is ended", { pid: running.pid });
    await endProcess(platform, running);
  }
  for (const { name } of state.children()) state.forgetChild(name);
  return found.size;
}

/** On Linux a start is told in ticks since the machine's start, so after the next one another process may have the same. */
function isChild({ born, command }: Running, child: StartedChild): boolean {
  return born === child.born && command.includes(child.command.join(" "));
}

/** SIGTERM, then SIGKILL. Throws when it is not gone then, or not ours to end. */
async function endProcess(platform: string, running: Running): Promise<void> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    if (!(await isSame(platform, running))) return;
    try {
      process.kill(running.pid, signal);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ESRCH") return;
      throw new Error(
        `The Litestream with pid ${running.pid} of an earlier agent cannot be ended: it is another user's.`,
      );
    }
    const until = Date.now() + FLUSH;
    while (Date.now() < until) {
      if (!(await isSame(platform, running))) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    }
  }
  throw new Error(`The Litestream with pid ${running.pid} of an earlier agent does not end.`);
}

async function isSame(platform: string, { pid, born }: Running): Promise<boolean> {
  return (await lookAtProcess(platform, pid))?.born === born;
}
