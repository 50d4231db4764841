import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import type { Context } from "../../kit/context.ts";

/** Where PATH, and the installers that do not put it there, have bw, the snap last; undefined where none has. */
export function whereBw(context: Context): string | undefined {
  const { cwd, platform } = context;
  // npm's bw.cmd is a shell script, which would need a shell.
  const name = platform === "win32" ? "bw.exe" : "bw";
  const projects = projectFolders(cwd);
  const found = foldersOf(context)
    .filter((folder) => !projects.has(folder) && existsSync(join(folder, name)))
    .map((folder) => join(folder, name));
  return found.find((path) => !isSnap(path)) ?? found[0];
}

/** Commands of snaps are links to snap itself. */
export function isSnap(path: string): boolean {
  return basename(realOf(path)) === "snap";
}

/** The version that npm installed, from the package's own description; null for what is not of npm. Nothing is run. */
export function packagedVersion(path: string): string | null {
  try {
    const file = join(dirname(dirname(realpathSync(path))), "package.json");
    const { name, version } = JSON.parse(readFileSync(file, "utf8")) as Record<"name" | "version", unknown>;
    return name === "@bitwarden/cli" && typeof version === "string" ? version : null;
  } catch {
    return null;
  }
}

function foldersOf({ env, platform }: Context): string[] {
  const folders = [
    ...(env.PATH ?? "").split(delimiter),
    ...(platform === "win32"
      ? [join(env.LOCALAPPDATA ?? "", "Microsoft", "WinGet", "Links"), join(env.USERPROFILE ?? "", "scoop", "shims")]
      : [
          "/opt/homebrew/bin",
          "/usr/local/bin",
          "/home/linuxbrew/.linuxbrew/bin",
          "/snap/bin",
          join(env.HOME ?? "", ".local", "bin"),
        ]),
  ];
  // A folder that is not absolute is the working folder's: whoever made that could be anyone.
  return folders.filter((folder) => /^(?:\/|[A-Za-z]:[\\/])/.test(folder)).map((folder) => resolve(folder));
}

/** What npm and npx put first on PATH in the working folder: whoever made that could be anyone. */
function projectFolders(cwd: string): ReadonlySet<string> {
  return new Set([resolve(cwd), realOf(cwd)].flatMap(upwards).map((folder) => join(folder, "node_modules", ".bin")));
}

function upwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

function realOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
