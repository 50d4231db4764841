import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Millis, StoreError } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { withLock } from "../../kit/lock.ts";

/** Where drills keep their own databases' replicas, below the storage's prefix: beside the epochs, never in one. */
export const DRILLS = "_alai/drills/";

/** Folders of the drills of one machine. */
export interface DrillPlace {
  /** Reports. */
  readonly reports: string;
  /** What is restored and written for a moment; of one drill at a time. */
  readonly scratch: string;
}

/** @param stateFolder `Host.state`, or the user's own on another machine. */
export function drillPlace(stateFolder: string): DrillPlace {
  return { reports: join(stateFolder, "drills"), scratch: join(stateFolder, "drilling") };
}

/** Sorts by time; no two are the same. */
export function newDrillId(now: Millis): string {
  const time = new Date(now).toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
  return `${time}-${randomBytes(3).toString("hex")}`;
}

/** Runs a drill while no other one runs here. Throws Exit 1 at once when one does. */
export async function aloneIn<T>({ reports }: DrillPlace, body: () => Promise<T>): Promise<T> {
  let began = false;
  const work = () => {
    began = true;
    return body();
  };
  try {
    return await withLock(reports, "drill", work, 0);
  } catch (error) {
    if (began || !(error instanceof StoreError && error.code === "locked")) throw error;
    throw new Exit(
      EXIT.refused,
      "drill_running",
      `A drill runs here already (${reports}).`,
      "Wait for it; alai dr drill list shows when it is done.",
    );
  }
}
