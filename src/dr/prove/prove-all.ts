import { rmSync } from "node:fs";
import { join } from "node:path";
import { Checker } from "../copy/check.ts";
import { Slots } from "../copy/slots.ts";
import type { Database } from "../manifest/model.ts";
import { listReplicas } from "../restore/replicas.ts";
import type { Storage } from "../storage/storage.ts";
import { ProofHistory } from "./history.ts";
import type { Proof } from "./proof.ts";
import { type ProveOptions, prove } from "./prove.ts";

/** Databases at once. */
const AT_ONCE = 3;

export interface ProveAllOptions extends Pick<ProveOptions, "mode" | "clock"> {
  readonly storage: Storage;
  readonly databases: readonly Database[];
  /** `Host.state`: the history is kept there, and what is restored is there for a moment. */
  readonly stateFolder: string;
  readonly epoch?: number | undefined;
  readonly random?: () => number;
  readonly onProof?: (proof: Proof) => void;
}

/** A proof and the one before it. */
export interface Proven {
  readonly proof: Proof;
  readonly before: Proof | null;
}

/** Proves databases, p0 first, and keeps what came out. @returns in the order of `databases`. Throws `StorageError` when storage cannot be listed. */
export async function proveAll(options: ProveAllOptions): Promise<readonly Proven[]> {
  const { storage, databases, stateFolder, epoch, mode, clock, random = Math.random, onProof } = options;
  const replicas = await listReplicas(storage, epoch);
  const history = new ProofHistory(stateFolder);
  const checker = new Checker(AT_ONCE);
  const scratch = join(stateFolder, `proving-${process.pid}`);
  const slots = new Slots(AT_ONCE);
  const one = async (database: Database): Promise<Proven> => {
    const before = history.last(database.name);
    const [replica] = replicas.get(database.name) ?? [];
    const proof = await prove(database, replica, before, { storage, checker, scratch, mode, clock, random });
    // An optional database that storage has nothing of: neither proven nor failed.
    if (proof.epoch !== null || proof.problem !== null) history.add(proof);
    onProof?.(proof);
    return { proof, before };
  };
  try {
    return await Promise.all(databases.map((database) => slots.run(() => one(database))));
  } finally {
    await checker.close();
    history.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}
