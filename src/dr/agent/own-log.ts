import { fstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Log, sentenceOf } from "./log.ts";
import { LARGEST, rotate } from "./rotate.ts";

/** What launchd calls the agent's output, in the host's folder of state; systemd has a journal of its own. */
export const OWN_LOG = "agent.out";

/**
 * Puts the agent's own log aside when it has grown too long: launchd never does. It has the file open for appending, as `rotate` wants
 * it. Nothing is done where the output goes elsewhere. Throws nothing.
 * @param state the host's folder of state. @param fd the output.
 */
export function rotateOwnLog(state: string, log: Log, { fd = 1, largest = LARGEST } = {}): void {
  try {
    const file = join(state, OWN_LOG);
    const [own, there] = [fstatSync(fd), statSync(file, { throwIfNoEntry: false })];
    if (there?.isFile() && there.ino === own.ino && there.dev === own.dev) rotate(file, largest);
  } catch (error) {
    log.warn("the agent's own log grows too long", { reason: sentenceOf(error) });
  }
}
