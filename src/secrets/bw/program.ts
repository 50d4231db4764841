import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";

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
  const path = candidates(context).find((file) => existsSync(file));
  if (path === undefined)
    throw new Exit(EXIT.unavailable, "no_bw", "Bitwarden's program bw is not installed.", installHint(context));
  const version = versionOf(context, path);
  const [year = 0, month = 0] = version.split(".").map(Number);
  if (DENIED.includes(version))
    throw new Exit(
      EXIT.unavailable,
      "bad_bw",
      `bw ${version} at ${path} is a version that was tampered with on npm in April 2026, so it is not run.`,
      `Remove it, change every secret that it saw, and install another: ${installHint(context)}`,
    );
  if (isBefore([year, month], OLDEST))
    throw new Exit(
      EXIT.unavailable,
      "bad_bw",
      `bw ${version} at ${path} is too old.`,
      `Install a newer one: ${installHint(context)}`,
    );
  return { path, version, untested: isBefore(NEWEST_TESTED, [year, month]) };
}

function isBefore(
  [year = 0, month = 0]: readonly number[],
  [otherYear = 0, otherMonth = 0]: readonly number[],
): boolean {
  return year < otherYear || (year === otherYear && month < otherMonth);
}

/** Where PATH, and the installers that do not put it there, have it. */
function candidates({ env, platform }: Context): string[] {
  const home = env.HOME ?? "";
  const names = platform === "win32" ? ["bw.exe", "bw.cmd"] : ["bw"];
  const folders = [
    ...(env.PATH ?? "").split(delimiter),
    ...(platform === "win32"
      ? [join(env.LOCALAPPDATA ?? "", "Microsoft", "WinGet", "Links"), join(env.USERPROFILE ?? "", "scoop", "shims")]
      : [
          "/opt/homebrew/bin",
          "/usr/local/bin",
          "/home/linuxbrew/.linuxbrew/bin",
          "/snap/bin",
          join(home, ".local", "bin"),
        ]),
  ];
  // A folder that is not absolute is the working folder's: whoever made that could be anyone.
  const known = folders.filter((folder) => /^(?:\/|[A-Za-z]:[\\/])/.test(folder));
  return known.flatMap((folder) => names.map((name) => join(folder, name)));
}

function installHint({ platform }: Context): string {
  if (platform === "darwin") return "brew install bitwarden-cli";
  if (platform === "win32") return "winget install Bitwarden.CLI";
  return "snap install bw, or the zip of https://bitwarden.com/download/#downloads-command-line-interface";
}

interface Known {
  readonly path: string;
  readonly stamp: string;
  readonly version: string;
}

/** Asking it takes more than half a second, so what it said is remembered for as long as the file is the same. */
function versionOf(context: Context, path: string): string {
  const file = join(context.paths.cache, "bw-version.json");
  const real = realpathSync(path);
  const { mtimeMs, size, ino } = statSync(real);
  const stamp = `${real} ${mtimeMs} ${size} ${ino}`;
  const known = readKnown(file);
  if (known?.path === path && known.stamp === stamp) return known.version;
  const { stdout } = spawnSync(path, ["--version"], {
    encoding: "utf8",
    timeout: 20_000,
    windowsHide: true,
    env: { PATH: context.env.PATH, BITWARDENCLI_APPDATA_DIR: context.paths.cache },
  });
  const version = oneLine(stdout ?? "").trim();
  if (!/^\d{4}\.\d+\.\d+$/.test(version))
    throw new Exit(
      EXIT.unavailable,
      "bad_bw",
      `${path} does not say what version it is${version ? `: ${truncate(version, 60)}` : ""}.`,
      `Check that it is Bitwarden's: ${installHint(context)}`,
    );
  try {
    mkdirSync(context.paths.cache, { recursive: true, mode: 0o700 });
    writeFileSync(file, JSON.stringify({ path, stamp, version } satisfies Known), { mode: 0o600 });
  } catch {
    // It is asked again next time.
  }
  return version;
}

function readKnown(file: string): Known | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Known;
  } catch {
    return null;
  }
}
