import type { Millis } from "@alai/core";
import { ERRAND, killGroup } from "./errand.ts";
import { type Log, sentenceOf } from "./log.ts";
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
 * Ends what an agent before this one started and did not end, because it was killed: two Litestreams on one database damage its
 * replica, and two daily runs are one too many. They are known by pid, start time and command line, as kept before; and, should the
 * agent have died between starting a Litestream and writing it down, by the rendered config on its command line.
 * @returns how many were ended. Throws when a Litestream cannot be ended, or processes cannot be listed: then none may be started.
 */
export async function endOrphans({ state, platform, log, configs }: OrphanSearch): Promise<number> {
  const found = new Map<number, Running>();
  const errands = new Map<number, Running>();
  for (const child of state.children()) {
    const running = await lookAtProcess(platform, child.pid);
    if (running && isChild(running, child)) (isErrand(child) ? errands : found).set(running.pid, running);
  }
  for (const running of await findProcesses(platform, `-config ${configs}/`))
    if (/(^|\s)replicate(\s|$)/.test(running.command) && !errands.has(running.pid)) found.set(running.pid, running);
  await Promise.all([
    ...[...found.values()].map((running) => {
      log.warn("a Litestream of an agent that was killed still ran: it is ended", { pid: running.pid });
      return endProcess(platform, running);
    }),
    ...[...errands.values()].map((running) => endErrand(platform, running, log)),
  ]);
  for (const { name } of state.children()) state.forgetChild(name);
  return found.size + errands.size;
}

/** With all that it has started. One that cannot be ended is no reason to leave the databases alone. */
async function endErrand(platform: string, running: Running, log: Log): Promise<void> {
  log.warn("a daily run of an agent that was killed still ran: it is ended", { pid: running.pid });
  try {
    await endProcess(platform, running);
  } catch (error) {
    log.error("a daily run of an earlier agent cannot be ended", { pid: running.pid, reason: sentenceOf(error) });
  }
  killGroup(running.pid);
}

function isErrand({ name }: StartedChild): boolean {
  return name.startsWith(ERRAND);
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
      throw new Error(`The process ${running.pid} of an earlier agent cannot be ended: it is another user's.`);
    }
    const until = Date.now() + FLUSH;
    while (Date.now() < until) {
      if (!(await isSame(platform, running))) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    }
  }
  throw new Error(`The process ${running.pid} of an earlier agent does not end.`);
}

async function isSame(platform: string, { pid, born }: Running): Promise<boolean> {
  return (await lookAtProcess(platform, pid))?.born === born;
}
