import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { multiLine, oneLine, truncate } from "../../kit/text.ts";
import { plainEnvironment } from "../litestream/environment.ts";
import type { Litestream } from "../litestream/find.ts";
import { runLitestream } from "../litestream/run.ts";
import type { LitestreamConfig } from "./configs.ts";

/**
 * Lets the real binary read each config and list its databases: it must list exactly those that were meant, with the storage that
 * was meant. It needs no secret for that and asks nothing of storage. Throws Exit 1 where it reads something else.
 */
export async function validateConfigs(
  context: Context,
  litestream: Litestream,
  configs: readonly LitestreamConfig[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "alai-render-"));
  try {
    for (const config of configs) await validate(context, litestream, config, join(folder, config.name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function validate(context: Context, { path, version }: Litestream, config: LitestreamConfig, file: string) {
  writeFileSync(file, config.text, { mode: 0o600 });
  const words = ["databases", "-json", "-no-expand-env", "-config", file];
  const { exit, stdout, stderr } = await runLitestream(path, words, { env: plainEnvironment(context) });
  const refused = (why: string) =>
    new Exit(EXIT.refused, "config_refused", `Litestream ${version} does not take ${config.name}: ${why}.`);
  if (exit !== 0) throw refused(truncate(oneLine(multiLine(stderr || stdout).trim()), 300));
  const listed = new Set(pathsOf(stdout));
  const meant = config.databases.map((database) => database.path);
  const missing = meant.filter((one) => !listed.has(one));
  const strange = [...listed].filter((one) => !meant.includes(one));
  if (missing.length > 0) throw refused(`it does not list ${missing.join(", ")}`);
  if (strange.length > 0) throw refused(`it lists ${strange.join(", ")} besides`);
}

function pathsOf(stdout: string): string[] {
  try {
    const rows: unknown = JSON.parse(stdout);
    return Array.isArray(rows) ? rows.map((row: { path?: unknown }) => String(row.path)) : [];
  } catch {
    return [];
  }
}
