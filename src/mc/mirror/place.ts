import type * as Crypto from "node:crypto";
import { join } from "node:path";
import type { Context } from "../../kit/context.ts";
import { readFrom, serverUrl } from "../../kit/values.ts";

/** The address as a mirror's mark has it: one spelling for each server. @param source what named it. */
export function siteOf(url: string, source = "ALAI_MC_URL"): string {
  return readFrom(source, () => serverUrl(url)).href.replace(/\/+$/, "");
}

/** Where the mirror of a server is when nobody says: in the data folder, a file a server. */
export function defaultMirror(context: Context, url: string): string {
  const site = siteOf(url);
  // Asked for here, not imported: calls to a server want to know whether there is one only when it is away.
  const { createHash }: typeof Crypto = process.getBuiltinModule("node:crypto");
  const digest = createHash("sha256").update(site).digest("hex").slice(0, 8);
  const host = new URL(site).host.replaceAll(/[^\w.-]/g, "_");
  return join(context.paths.data, "mirrors", `${host}-${digest}.db`);
}
