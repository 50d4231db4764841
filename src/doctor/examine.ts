import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { fromStoreTime } from "@alai/core";
import { isSafeForWal } from "@alai/core/sqlite/safety";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { settingsFile } from "../kit/settings.ts";
import { span } from "../kit/when.ts";
import { locateLedger } from "../mc/open.ts";
import type { Check, Finding } from "./finding.ts";

/** What one look at one thing found. Nothing is changed by looking: files are opened read-only and none is made. */
export async function examine(context: Context): Promise<Check[]> {
  const looks: [string, () => Finding[] | Promise<Finding[]>][] = [
    ["runtime", () => [runtime()]],
    ["sqlite", () => [sqlite()]],
    ["settings", () => [settings(context)]],
    ["identity", () => [identity(context)]],
    ["ledger", () => ledger(context)],
    ["mirror", () => mirror(context)],
    ["lightrag", () => rag(context)],
    ["old vault", async () => (await import("./old-vault.ts")).oldVaultFindings(context)],
  ];
  const checks: Check[] = [];
  for (const [check, look] of looks)
    checks.push(...(await attempt(look)).map((finding): Check => ({ check, ...finding })));
  return checks;
}

/** A look that throws is a finding too. */
async function attempt(look: () => Finding[] | Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    const { message, hint } = toFailure(error);
    return [{ state: "fail", finding: message, remedy: hint ?? null }];
  }
}

function ok(finding: string): Finding {
  return { state: "ok", finding, remedy: null };
}

function runtime(): Finding {
  const { bun, node } = process.versions;
  return ok(bun ? `standalone binary (bun ${bun})` : `Node ${node}`);
}

function sqlite(): Finding {
  const db = new DatabaseSync(":memory:");
  const { v } = db.prepare("SELECT sqlite_version() AS v").get() as { v: string };
  db.close();
  if (isSafeForWal(v)) return ok(`SQLite ${v}`);
  return {
    state: "fail",
    finding: `SQLite ${v} can damage files that several processes write`,
    remedy: "use Node 22.22.3+, 24.15+ or 26+",
  };
}

function settings(context: Context): Finding {
  const file = settingsFile(context.paths.config);
  const count = context.settings().size;
  if (!existsSync(file)) return ok(`none yet (${file})`);
  if (context.platform !== "win32" && (statSync(file).mode & 0o077) !== 0)
    return { state: "warn", finding: `${file} can be read by others`, remedy: `chmod 600 ${file}` };
  return ok(`${count} set in ${file}`);
}

function identity(context: Context): Finding {
  const { actor, session, actorSource, sessionSource } = context.identity();
  const finding = `${actor} (${actorSource}), session ${session} (${sessionSource})`;
  if (!sessionSource.includes("no terminal")) return ok(finding);
  return { state: "warn", finding, remedy: "set ALAI_SESSION, so that every call is the same session" };
}

/** Only who works with a server has one. */
async function mirror(context: Context): Promise<Finding[]> {
  const location = locateLedger(context);
  if (location.kind !== "url") return [];
  const { mirrorFinding } = await import("./mirror.ts");
  return [mirrorFinding(context, location.url)];
}

/** Only where there is a manifest: reading one loads a parser. */
async function rag(context: Context): Promise<Finding[]> {
  const { manifestFile } = await import("../dr/manifest/file.ts");
  if (!existsSync(manifestFile(context))) return [];
  const { ragFindings } = await import("./rag.ts");
  return ragFindings(context);
}

async function ledger(context: Context): Promise<Finding[]> {
  const location = locateLedger(context);
  if (location.kind === "url") return (await import("./server.ts")).serverFindings(context, location);
  const { file, source } = location;
  if (!existsSync(file))
    return [{ state: "warn", finding: `${file} (${source}) is not there yet`, remedy: "alai mc add makes it" }];
  const db = new DatabaseSync(file, { readOnly: true, timeout: 2000 });
  try {
    return [...shape(db, file, source), ...clock(db, context.clock())];
  } finally {
    db.close();
  }
}

function shape(db: DatabaseSync, file: string, source: string): Finding[] {
  const one = (sql: string) => Object.values(db.prepare(sql).get() as Record<string, unknown>)[0];
  const damage = one("PRAGMA quick_check(1)");
  if (damage !== "ok")
    return [{ state: "fail", finding: `${file} is damaged: ${damage}`, remedy: "restore it from a backup" }];
  if (!one("SELECT count(*) FROM sqlite_master WHERE name = 'alai_meta'"))
    return [{ state: "fail", finding: `${file} is not a ledger of alai`, remedy: `alai mc adopt ${file} --dry-run` }];
  const found = [
    ok(
      `${file} (${source}), schema ${one("SELECT value FROM alai_meta WHERE key = 'schema'")}, ${one("SELECT count(*) FROM tasks")} tasks`,
    ),
  ];
  const mode = String(one("PRAGMA journal_mode"));
  if (mode !== "wal")
    found.push({
      state: "warn",
      finding: `journal mode ${mode}: readers and writers wait for each other`,
      remedy: "the program that owns the file may switch it to WAL",
    });
  return found;
}

/** A journal ahead of the clock: leases stand still until the clock has caught up. */
function clock(db: DatabaseSync, now: number): Finding[] {
  let row: { at?: string } | undefined;
  try {
    row = db.prepare("SELECT at FROM alai_events ORDER BY seq DESC LIMIT 1").get() as typeof row;
  } catch {
    return [];
  }
  const ahead = (fromStoreTime(row?.at) ?? 0) - now;
  if (ahead < 5000) return [ok("the clock is not behind the ledger")];
  return [
    {
      state: "warn",
      finding: `the ledger's newest event is ${span(ahead)} ahead of this clock`,
      remedy: "set the clock; leases stand still until then",
    },
  ];
}
