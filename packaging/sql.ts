import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Writes the server's SQL into a module, so that it is in every build: bundlers do not follow files that are read at run time,
 * and Node does not import text yet. `npm run sql`; test/server/postgres/sql.test.ts fails when it is stale.
 */

const folder = join(import.meta.dirname, "..", "server", "sql");
const target = join(import.meta.dirname, "..", "server", "src", "postgres", "sql.ts");

const sqlFiles = (at: string) =>
  readdirSync(at)
    .filter((name) => name.endsWith(".sql"))
    .toSorted();

/** `lock-tasks.sql` is `lockTasks`. */
function keyOf(file: string): string {
  return file.replace(/\.sql$/, "").replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** A statement without its comments, as it is sent. */
function stripped(sql: string): string {
  return sql
    .split("\n")
    .filter((line) => !/^\s*--/.test(line))
    .join("\n")
    .trim()
    .replace(/;$/, "");
}

function statements(): string {
  const entries = sqlFiles(folder)
    .filter((file) => file !== "schema.sql")
    .map((file) => {
      const text = stripped(readFileSync(join(folder, file), "utf8"));
      return `  ${keyOf(file)}: { name: ${JSON.stringify(`alai-${file.replace(/\.sql$/, "")}`)}, text: ${literal(text)} },`;
    });
  return entries.join("\n");
}

function migrations(): string {
  const entries = sqlFiles(join(folder, "migrations")).map((file) => {
    const text = readFileSync(join(folder, "migrations", file), "utf8");
    const version = Number.parseInt(file, 10);
    const checksum = createHash("sha256").update(text).digest("hex");
    const breaking = /^-- breaking\b/m.test(text);
    return `  { version: ${version}, name: ${JSON.stringify(file.replace(/\.sql$/, ""))}, checksum: ${JSON.stringify(checksum)}, breaking: ${breaking}, text: ${literal(text)} },`;
  });
  return entries.join("\n");
}

function literal(text: string): string {
  return `\`${text.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${")}\``;
}

/** The module's text. */
export function sqlModule(): string {
  return `// Made from server/sql by packaging/sql.ts: change it there, then \`npm run sql\`.
import type { Migration } from "./migrate.ts";

export const SQL = {
${statements()}
} as const;

export const MIGRATIONS: readonly Migration[] = [
${migrations()}
];
`;
}

if (import.meta.main) writeFileSync(target, sqlModule());
