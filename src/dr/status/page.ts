import { renameSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import type { Manifest } from "../manifest/model.ts";
import { collectHistory } from "./history.ts";
import { toHtml } from "./html.ts";
import type { Status } from "./status.ts";

/** Writes the page whole, or not at all: who serves the folder never shows half of it. */
export async function writePage(
  context: Context,
  manifest: Manifest,
  status: Status,
  { file, since }: { readonly file: string; readonly since: Millis },
): Promise<void> {
  const path = resolve(context.cwd, file);
  const histories = await collectHistory(context, manifest, since);
  writeFileSync(`${path}.new`, toHtml(status, histories, since));
  renameSync(`${path}.new`, path);
}
