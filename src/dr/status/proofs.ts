import type { Millis } from "@alai/core";
import type { Manifest } from "../manifest/model.ts";
import { lastProof } from "../prove/history.ts";
import type { HostLook } from "./collect.ts";

/** The last good proof of each database, wherever it was made: as agents tell, and as this machine's own files say. */
export function proofsOf(manifest: Manifest, hosts: readonly HostLook[]): ReadonlyMap<string, Millis> {
  const proofs = new Map<string, Millis>();
  const add = (name: string, at: Millis) => proofs.set(name, Math.max(at, proofs.get(name) ?? 0));
  for (const { answered } of hosts)
    for (const [name, at] of Object.entries(answered?.value.proofs ?? {})) add(name, at);
  for (const { state } of manifest.hosts) for (const [name, at] of here(state)) add(name, at);
  return proofs;
}

/** Most often the manifest's folders are other machines': then there is nothing. */
function here(state: string): ReadonlyMap<string, Millis> {
  try {
    return lastProof(state);
  } catch {
    return new Map();
  }
}
