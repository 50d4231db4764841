import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a terminal, or the shell on it, sends to all processes in front of it at once. */
const OF_TERMINALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT", "SIGHUP", "SIGWINCH", "SIGCONT"];

/**
 * Must a signal that we got be passed on? The command is in our process group: what the terminal sends it has already, and twice
 * Ctrl-C means something else to many programs than once.
 */
export function mustPassOn(signal: NodeJS.Signals): boolean {
  return !OF_TERMINALS.includes(signal) || !isInFront();
}

/** Is our process group the one that the terminal sends its signals to? */
function isInFront(): boolean {
  if (process.platform === "win32") return true;
  const [group, front] = process.platform === "linux" ? groupsOfProc() : groupsOfPs();
  return group !== undefined && group > 0 && group === front;
}

function groupsOfProc(): readonly (number | undefined)[] {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    // After the name, which may hold anything: state, parent, group, session, terminal, the terminal's group.
    const [, , group, , , front] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [Number(group), Number(front)];
  } catch {
    return [];
  }
}

function groupsOfPs(): readonly (number | undefined)[] {
  const { stdout } = spawnSync("ps", ["-o", "pgid=,tpgid=", "-p", String(process.pid)], { encoding: "utf8" });
  return (stdout ?? "").trim().split(/\s+/).map(Number);
}
