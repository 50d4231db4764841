import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { bwEnv } from "./child-env.ts";
import { PrivateFolder } from "./folder.ts";
import { isSnap, packagedVersion, whereBw } from "./where.ts";

/** Bitwarden's own program, which does all that needs a vault's keys. */
export interface BwProgram {
  readonly path: string;
  readonly version: string;
  /** Newer than what alai was tested with. */
  readonly untested: boolean;
}

/** `bw` has no `serve` over an inherited socket before. */
const OLDEST = [2024, 7];
const NEWEST_TESTED = [2026, 9];
/** Published by somebody else than Bitwarden for 93 minutes on 2026-04-22, with a malicious install script. */
const DENIED: readonly string[] = ["2026.4.0"];

/** Throws Exit 69 when there is none, or one that must not be used; with how to install it here. */
export function findBw(context: Context): BwProgram {
  const path = whereBw(context);
  if (path === undefined)
    throw new Exit(EXIT.unavailable, "no_bw", "Bitwarden's program bw is not installed.", installHint(context));
  const refuse = ({ what, remedy }: Trouble) =>
    new Exit(EXIT.unavailable, "bad_bw", what, `${remedy} ${installHint(context)}`);
  if (isSnap(path)) throw refuse(snapTrouble(path));
  const version = versionOf(context, path);
  const trouble = troubleWith(path, version);
  if (trouble !== null) throw refuse(trouble);
  return { path, version, untested: isUntested(version) };
}

/** One line where bw is newer than what alai was tested with; none where it is not known yet which it is. */
export function warnIfUntested(context: Context): void {
  const { untested, version } = seeBw(context);
  if (untested)
    context.warn(`bw ${version} is newer than ${NEWEST_TESTED.join(".")}, the newest that alai was tested with`);
}

/** What is known of bw without running it. */
export interface BwSeen {
  /** Null: there is none. */
  readonly path: string | null;
  /** Null: it is not npm's, and was not run since it was installed. */
  readonly version: string | null;
  readonly untested: boolean;
  /** Why it is not used. */
  readonly trouble: string | null;
}

export function seeBw(context: Context): BwSeen {
  const path = whereBw(context);
  if (path === undefined)
    return { path: null, version: null, untested: false, trouble: `it is not installed: ${installHint(context)}` };
  if (isSnap(path)) return { path, version: null, untested: false, trouble: snapTrouble(path).what };
  const version = knownVersion(context, path);
  if (version === null) return { path, version, untested: false, trouble: null };
  return { path, version, untested: isUntested(version), trouble: troubleWith(path, version)?.what ?? null };
}

interface Trouble {
  readonly what: string;
  readonly remedy: string;
}

/** Its confinement hides /dev/shm, all of XDG_RUNTIME_DIR but a folder of its own, and hidden folders of the home. */
function snapTrouble(path: string): Trouble {
  return {
    what: `The bw at ${path} is the snap, which sees no folder in memory but its own, so it is not used.`,
    remedy: "Install another beside it:",
  };
}

function troubleWith(path: string, version: string): Trouble | null {
  if (DENIED.includes(version))
    return {
      what: `bw ${version} at ${path} is a version that was tampered with on npm in April 2026, so it is not used.`,
      remedy: "Remove it, change every secret that it saw, and install another:",
    };
  if (isBefore(numbersOf(version), OLDEST))
    return { what: `bw ${version} at ${path} is too old.`, remedy: "Install a newer one:" };
  return null;
}

function isUntested(version: string): boolean {
  return isBefore(NEWEST_TESTED, numbersOf(version));
}

function numbersOf(version: string): readonly number[] {
  return version.split(".").map(Number);
}

function isBefore(
  [year = 0, month = 0]: readonly number[],
  [otherYear = 0, otherMonth = 0]: readonly number[],
): boolean {
  return year < otherYear || (year === otherYear && month < otherMonth);
}

function installHint({ platform }: Context): string {
  if (platform === "darwin") return "brew install bitwarden-cli";
  if (platform === "win32") return "winget install Bitwarden.CLI";
  // Not its snap: see snapTrouble.
  return "Put the bw of https://bitwarden.com/download/#downloads-command-line-interface in a folder of your PATH.";
}

interface Known {
  readonly path: string;
  readonly stamp: string;
  readonly version: string;
}

/**
 * That of npm's package, so that one that was tampered with is never run. Any other must say it, which takes more than half a
 * second: what it said is remembered for as long as the file is the same.
 */
function versionOf(context: Context, path: string): string {
  const known = knownVersion(context, path);
  if (known !== null) return known;
  const version = saidVersion(context, path);
  if (!/^\d{4}\.\d+\.\d+$/.test(version))
    throw new Exit(
      EXIT.unavailable,
      "bad_bw",
      `${path} does not say what version it is${version ? `: ${truncate(version, 60)}` : ""}.`,
      `Check that it is Bitwarden's: ${installHint(context)}`,
    );
  remember(context, { path, stamp: stampOf(path), version });
  return version;
}

/** It leaves files wherever it runs. */
function saidVersion(context: Context, path: string): string {
  const folder = new PrivateFolder(context);
  try {
    const { stdout } = spawnSync(path, ["--version"], {
      encoding: "utf8",
      timeout: 20_000,
      windowsHide: true,
      cwd: folder.path,
      env: bwEnv(context.env, folder.path),
    });
    return oneLine((stdout ?? "").trim());
  } finally {
    folder.remove();
  }
}

function knownVersion(context: Context, path: string): string | null {
  const packaged = packagedVersion(path);
  if (packaged !== null) return packaged;
  try {
    const known = JSON.parse(readFileSync(cacheOf(context), "utf8")) as Known;
    return known.path === path && known.stamp === stampOf(path) ? known.version : null;
  } catch {
    return null;
  }
}

function remember(context: Context, known: Known): void {
  try {
    mkdirSync(context.paths.cache, { recursive: true, mode: 0o700 });
    writeFileSync(cacheOf(context), JSON.stringify(known), { mode: 0o600 });
  } catch {
    // It is asked again next time.
  }
}

function cacheOf({ paths }: Context): string {
  return join(paths.cache, "bw-version.json");
}

function stampOf(path: string): string {
  const real = realpathSync(path);
  const { mtimeMs, size, ino } = statSync(real);
  return `${real} ${mtimeMs} ${size} ${ino}`;
}
