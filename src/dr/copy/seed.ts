import { rmSync } from "node:fs";
import type { LtxFile } from "../ltx/name.ts";
import { LtxHole, planTo } from "../ltx/plan.ts";
import { buildDatabase } from "../restore/build.ts";
import type { Storage } from "../storage/storage.ts";
import { type Checker, inOneLine } from "./check.ts";
import type { WorkingCopy } from "./working-copy.ts";

export interface Seeding {
  readonly name: string;
  readonly copy: WorkingCopy;
  readonly storage: Storage;
  readonly checker: Checker;
  readonly files: readonly LtxFile[];
  /** Where the files come from: `e1/mc`. */
  readonly replica: string;
  /** What the copy is to reach. */
  readonly newest: number;
}

/**
 * Makes the working copy anew: a fresh file out of storage, checked, then put in its place.
 * @returns why that cannot be; null: it is done. Throws `LtxDamage`, `StorageError`, and what the file system refuses.
 */
export async function seedCopy({ name, copy, storage, checker, ...wanted }: Seeding): Promise<string | null> {
  const plan = planTo(wanted.files, 0, wanted.newest);
  if (plan.kind === "hole") return new LtxHole(name, plan).message;
  copy.isSeeding();
  const fresh = `${copy.path}.seed`;
  rmSync(fresh, { recursive: true, force: true });
  try {
    copy.step("seed");
    const { max, time } = await buildDatabase(storage, plan.files, fresh);
    copy.step("check");
    const { problems, beat } = await checker.check(fresh, { mode: "quick" });
    if (problems.length > 0) return `What storage has of ${name} is no sound database: ${inOneLine(problems)}.`;
    copy.swapIn(fresh, { replica: wanted.replica, applied: max, target: max, time }, beat);
    return null;
  } finally {
    // One that was given up shares this place with the copy that came after it.
    if (!copy.isGivenUp) rmSync(fresh, { force: true });
  }
}
