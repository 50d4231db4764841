import { StoreError } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { withLock } from "../../kit/lock.ts";
import type { Host } from "../manifest/model.ts";

/**
 * Runs the agent of a host while no other one does. The lock is the system's: it is gone with the process that holds it, however
 * that ended. Throws Exit 1 when another agent holds it.
 */
export async function asOnlyAgent<T>(host: Host, body: () => Promise<T>): Promise<T> {
  let begun = false;
  try {
    return await withLock(
      host.state,
      "agent",
      () => {
        begun = true;
        return body();
      },
      0,
    );
  } catch (error) {
    if (begun || !(error instanceof StoreError && error.code === "locked")) throw error;
    throw new Exit(
      EXIT.refused,
      "agent_running",
      `Another agent of ${host.name} runs on this machine.`,
      "Two would start two Litestreams on one database. Look at alai dr status.",
    );
  }
}
