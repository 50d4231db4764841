import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Context } from "../../kit/context.ts";
import { serverUrl } from "../../kit/values.ts";

/** The address as a mirror's mark has it: one spelling for each server. */
export function siteOf(url: string): string {
  return serverUrl(url).href.replace(/\/+$/, "");
}

/** Where the mirror of a server is when nobody says: in the data folder, a file a server. */
export function defaultMirror(context: Context, url: string): string {
  const site = siteOf(url);
  const digest = createHash("sha256").update(site).digest("hex").slice(0, 8);
  const host = new URL(site).host.replaceAll(/[^\w.-]/g, "_");
  return join(context.paths.data, "mirrors", `${host}-${digest}.db`);
}
