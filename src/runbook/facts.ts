import type { Manifest } from "../dr/manifest/model.ts";
import { proofFolder } from "../dr/prove/folder.ts";
import type { Status } from "../dr/status/status.ts";
import { takeStatus } from "../dr/status/take.ts";
import type { Context } from "../kit/context.ts";
import { readDrills } from "./drills.ts";
import type { Facts } from "./page.ts";

/** Asks hosts and storage, three seconds at most, and reads what drills left on this machine. */
export async function takeFacts(context: Context, manifest: Manifest): Promise<Facts> {
  const status = await takeStatus(context, manifest);
  const folders = [...manifest.hosts.map(({ state }) => state), proofFolder(context, manifest)];
  return { manifest, status: isSilent(status) ? null : status, drills: readDrills(folders) };
}

/** Nobody answered: that is no measurement, and its time says nothing. */
function isSilent({ hosts, storage }: Status): boolean {
  return storage.trouble !== null && hosts.every(({ answers }) => !answers);
}
