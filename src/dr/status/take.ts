import type { Context } from "../../kit/context.ts";
import type { Manifest } from "../manifest/model.ts";
import { assess } from "./assess.ts";
import { collect } from "./collect.ts";
import { proofsOf } from "./proofs.ts";
import type { Status } from "./status.ts";

/** The status of everything, now. Throws nothing that hosts or storage do: what does not answer is in it. */
export async function takeStatus(context: Context, manifest: Manifest): Promise<Status> {
  const look = await collect(context, manifest);
  return assess(manifest, look, proofsOf(manifest, look.hosts));
}
