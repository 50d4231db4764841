import type { Millis } from "@alai/core";
import type { Manifest } from "../manifest/model.ts";
import { failedProofs, lastProof } from "../prove/history.ts";
import type { FailedProof } from "../report.ts";
import type { HostLook } from "./collect.ts";

/** The last good proof of each database, wherever it was made: as agents tell, and as this machine's own files say. */
export function proofsOf(manifest: Manifest, hosts: readonly HostLook[]): ReadonlyMap<string, Millis> {
  const proofs = new Map<string, Millis>();
  const add = (name: string, at: Millis) => proofs.set(name, Math.max(at, proofs.get(name) ?? 0));
  for (const { answered } of hosts)
    for (const [name, at] of Object.entries(answered?.value.proofs ?? {})) add(name, at);
  for (const { state } of manifest.hosts) for (const [name, at] of here(() => lastProof(state))) add(name, at);
  return proofs;
}

/** The last failed proof of each database, wherever it was tried; a later good one elsewhere is for the caller to weigh. */
export function failuresOf(manifest: Manifest, hosts: readonly HostLook[]): ReadonlyMap<string, FailedProof> {
  const failures = new Map<string, FailedProof>();
  const add = (name: string, failed: FailedProof) => {
    if (failed.at > (failures.get(name)?.at ?? 0)) failures.set(name, failed);
  };
  for (const { answered } of hosts)
    for (const [name, failed] of Object.entries(answered?.value.failedProofs ?? {})) add(name, failed);
  for (const { state } of manifest.hosts)
    for (const [name, failed] of here(() => failedProofs(state))) add(name, failed);
  return failures;
}

/** Most often the manifest's folders are other machines': then there is nothing. */
function here<T>(read: () => ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  try {
    return read();
  } catch {
    return new Map();
  }
}
