import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../kit/context.ts";
import { writePrivate } from "../kit/sealed/private-file.ts";

/** Which profiles this machine was set up with: a file each, written when all steps were tried. */

export function isSetUp(context: Context, profile: string): boolean {
  return existsSync(markOf(context, profile));
}

export function markSetUp(context: Context, profile: string): void {
  mkdirSync(folderOf(context), { recursive: true, mode: 0o700 });
  writePrivate(markOf(context, profile), Buffer.alloc(0));
}

function folderOf({ paths }: Context): string {
  return join(paths.data, "set-up");
}

function markOf(context: Context, profile: string): string {
  return join(folderOf(context), profile);
}
