import { rmSync } from "node:fs";
import { join } from "node:path";
import { Checker } from "../copy/check.ts";
import type { Database } from "../manifest/model.ts";
import { removeLeftovers } from "../restore/leftovers.ts";
import { ReplicaListing } from "../restore/listing.ts";
import { eachWithRoom } from "../restore/room.ts";
import type { Storage } from "../storage/storage.ts";
import { ProofHistory } from "./history.ts";
import type { Proof } from "./proof.ts";
import { type ProveOptions, prove } from "./prove.ts";

/** Folders of what is restored, each named for the process that made it. */
const SCRATCH = "proving-";

/** Databases at once. */
const AT_ONCE = 3;

export interface ProveAllOptions extends Pick<ProveOptions, "mode" | "clock"> {
  readonly storage: Storage;
  readonly databases: readonly Database[];
  /** `Host.state`: the history is kept there, and what is restored is there for a moment. */
  readonly stateFolder: string;
  /** The one that is proven. */
  readonly epoch: number;
  readonly random?: () => number;
  readonly onProof?: (proof: Proof) => void;
}

/** A proof and the one before it. */
export interface Proven {
  readonly proof: Proof;
  readonly before: Proof | null;
}

/**
 * Proves databases, p0 first, and keeps what came out. @returns in the order of `databases`. Throws `StorageError` when storage
 * cannot be listed, and Exit 130 when `storage` gives nothing any more because of a signal; nothing is left behind then either.
 */
export async function proveAll(options: ProveAllOptions): Promise<readonly Proven[]> {
  const { storage, databases, stateFolder, epoch, mode, clock, random = Math.random, onProof } = options;
  // Another run, by hand say, may have proven more in the meantime than this listing has: that is no going back.
  const listedAt = clock();
  const listing = await ReplicaListing.make(storage);
  removeLeftovers(stateFolder, SCRATCH);
  const history = new ProofHistory(stateFolder);
  const checker = new Checker(AT_ONCE);
  const scratch = join(stateFolder, `${SCRATCH}${process.pid}`);
  const how = { storage, listing, epoch, checker, scratch, mode, clock, random };
  try {
    return await eachWithRoom<Database, Proven>(databases, {
      atOnce: AT_ONCE,
      async work(database) {
        const before = history.last(database.name, epoch, listedAt);
        return { proof: await prove(database, before, how), before };
      },
      lacksRoom: ({ proof }) => proof.hindrance?.isNoRoom === true,
      done({ proof }) {
        if (isKept(proof)) history.add(proof);
        onProof?.(proof);
      },
    });
  } finally {
    await checker.close();
    history.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Neither proven nor failed: an optional database that storage has nothing of, and one that could not be tried. */
function isKept({ problem, txid, hindrance }: Proof): boolean {
  return hindrance === null && (problem !== null || txid !== null);
}
