import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import type { Context } from "../kit/context.ts";
import { leftServers } from "../secrets/migrate/journal.ts";
import type { Finding } from "./finding.ts";
import { type OwnServers, ownServers } from "./own-vault.ts";

/** Shell start files, where people put BW_SESSION and the like. */
const START_FILES = [
  ...[".profile", ".bash_profile", ".bash_login", ".bashrc", ".bash_aliases", ".zshenv", ".zprofile", ".zshrc"],
  ...[".config/fish/config.fish", ".config/nushell/env.nu", ".config/nushell/config.nu", ".envrc", ".env"],
];
const SCRIPT_FOLDERS = [
  "bin",
  ".local/bin",
  ".claude",
  ".config/environment.d",
  ".config/systemd/user",
  "Library/LaunchAgents",
];
/** Copies of what was said, and of other people's code. */
const NOT_LOOKED_AT = new Set([
  ".git",
  "node_modules",
  "projects",
  "todos",
  "shell-snapshots",
  "file-history",
  "debug",
]);
const DEEPEST = 4;
const LARGEST = 1_000_000;
const MOST_FILES = 5000;
const MOST_FINDINGS = 20;

/** What on this machine still asks a server whose vault was moved away. Nothing is looked at before a migration was verified. */
export async function oldVaultFindings(context: Context): Promise<Finding[]> {
  const left = leftServers(context);
  if (left.length === 0) return [];
  const own = await ownServers(context);
  return left.flatMap(({ from, to }) => findingsOf(context, from, to, own));
}

function findingsOf(context: Context, from: string, to: string, own: OwnServers): Finding[] {
  const { host } = new URL(from);
  // A part of another name is another host.
  const names = new RegExp(`(?<![\\w.-])${host.replaceAll(".", "\\.")}(?![\\w-]|\\.\\w|:\\d)`, "i");
  const found = [
    ...own.asked.filter(({ server }) => names.test(server)),
    ...ofPrograms(context, names),
    ...environment(context, names),
    ...files(context, names),
  ];
  if (found.length === 0) return [{ state: "ok", finding: nothingAsks(host, own), remedy: null }];
  const shown = found.slice(0, MOST_FINDINGS).map(
    ({ where, remedy }): Finding => ({
      state: "warn",
      finding: `${where} still names ${host}, whose vault has moved to ${new URL(to).host}`,
      remedy: remedy(to),
    }),
  );
  const more = found.length - shown.length;
  return more > 0 ? [...shown, { state: "warn", finding: `and ${more} more`, remedy: null }] : shown;
}

/** Whom alai itself asks may be known to the keychain only, which would ask the person. */
function nothingAsks(host: string, { unseen }: OwnServers): string {
  if (unseen.length === 0) return `nothing here asks ${host} any more`;
  return `nothing here asks ${host} any more, as far as is seen without the keychain: alai secrets status says whom alai asks for ${unseen.join(", ")}`;
}

interface Found {
  readonly where: string;
  readonly remedy: (to: string) => string;
}

function environment({ env }: Context, names: RegExp): Found[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && names.test(value)
      ? [{ where: `the variable ${name}`, remedy: () => "change it where it is set, and log in anew" }]
      : [],
  );
}

/** The person's own bw. */
function ofPrograms(context: Context, names: RegExp): Found[] {
  return bwFiles(context).flatMap((file) =>
    asks(file, names) ? [{ where: file, remedy: (to: string) => `bw logout; bw config server ${to}` }] : [],
  );
}

function bwFiles({ env }: Context): string[] {
  const home = env.HOME || homedir();
  const folders = [
    env.BITWARDENCLI_APPDATA_DIR,
    join(env.XDG_CONFIG_HOME || join(home, ".config"), "Bitwarden CLI"),
    join(home, "Library", "Application Support", "Bitwarden CLI"),
    join(home, "snap", "bw", "current", ".config", "Bitwarden CLI"),
    env.APPDATA && join(env.APPDATA, "Bitwarden CLI"),
  ];
  return [...new Set(folders)].flatMap((folder) => (folder ? [join(folder, "data.json")] : []));
}

/** bw remembers servers of before, too: only where it would ask now is of interest. */
function asks(file: string, names: RegExp): boolean {
  try {
    const all = Object.entries(JSON.parse(readFileSync(file, "utf8")) as object);
    return all.some(([key, value]) => key.endsWith("_environment_environment") && names.test(JSON.stringify(value)));
  } catch {
    return false;
  }
}

function files({ env }: Context, names: RegExp): Found[] {
  const home = env.HOME || homedir();
  const all = [
    ...START_FILES.map((name) => join(home, name)),
    ...SCRIPT_FOLDERS.flatMap((name) => filesIn(join(home, name), DEEPEST)),
  ];
  return all.slice(0, MOST_FILES).flatMap((file) => {
    const line = lineNaming(file, names);
    if (line === 0) return [];
    const shown = file.startsWith(home + sep) ? join("~", file.slice(home.length)) : file;
    return [{ where: `${shown}:${line}`, remedy: () => "change the address there, or take the line out" }];
  });
}

function filesIn(folder: string, depth: number): string[] {
  if (depth === 0) return [];
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return NOT_LOOKED_AT.has(entry.name) ? [] : filesIn(path, depth - 1);
      return entry.isFile() || entry.isSymbolicLink() ? [path] : [];
    });
  } catch {
    return [];
  }
}

/** The number of the first line; 0 when there is none. */
function lineNaming(file: string, names: RegExp): number {
  const text = readText(file);
  if (text === null || !names.test(text)) return 0;
  return text.split("\n").findIndex((line) => names.test(line)) + 1;
}

/** Null for what is not there, is large, or is no text. */
function readText(file: string): string | null {
  try {
    const { size } = statSync(file);
    if (size > LARGEST) return null;
    const text = readFileSync(file, "utf8");
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}
