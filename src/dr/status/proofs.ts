import type { Manifest } from "../manifest/model.ts";
import { type Proofs, readProofs } from "../prove/history.ts";
import type { FailedProof, GoodProof, HostReport } from "../report.ts";
import type { HostLook } from "./collect.ts";

/** Real restores, wherever they were made and of whatever epoch: as agents tell, and as this machine's own files say. */
export function proofsOf(manifest: Manifest, hosts: readonly HostLook[]): Proofs {
  const all = [
    ...hosts.flatMap(({ answered }) => (answered ? [told(answered.value)] : [])),
    ...manifest.hosts.map(({ state }) => here(state)),
  ];
  return { good: all.flatMap(({ good }) => good), failed: all.flatMap(({ failed }) => failed) };
}

const FIRST: Pick<GoodProof, "epoch" | "txid"> = { epoch: 1, txid: null };

/** What an agent says. One of before proofs had an epoch says it by name; those are of the first, as in its file. */
function told({ proofs = [], failedProofs = [] }: HostReport): Proofs {
  return {
    good: isList<GoodProof>(proofs)
      ? proofs
      : Object.entries<number>(proofs).map(([name, at]) => ({ ...FIRST, name, at })),
    failed: isList<FailedProof>(failedProofs)
      ? failedProofs
      : Object.entries<FailedProof>(failedProofs).map(([name, one]) => ({ ...one, name, epoch: FIRST.epoch })),
  };
}

function isList<T>(said: readonly T[] | Readonly<Record<string, unknown>>): said is readonly T[] {
  return Array.isArray(said);
}

/** Most often the manifest's folders are other machines': then there is nothing. */
function here(state: string): Proofs {
  try {
    return readProofs(state);
  } catch {
    return { good: [], failed: [] };
  }
}
