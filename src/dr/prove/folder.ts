import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../kit/context.ts";
import { requireHost } from "../manifest/host.ts";
import type { Manifest } from "../manifest/model.ts";

/**
 * Where this machine keeps its proofs: in the state folder of the host that it is, a standby first, where the agent looks; on
 * any other machine in the user's own. @param name a host's, when told.
 */
export function proofFolder(context: Context, manifest: Manifest, name?: string): string {
  if (name !== undefined) return requireHost(manifest, name).state;
  const standbyFirst = manifest.hosts.toSorted((a, b) => b.role.localeCompare(a.role));
  const here = standbyFirst.find(({ state }) => existsSync(state));
  return here?.state ?? join(context.paths.data, "dr");
}
