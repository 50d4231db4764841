import { realpathSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { inheritedEnv } from "../kit/child-env.ts";
import type { Context } from "../kit/context.ts";
import type { Env } from "../kit/env.ts";

/** Where an outer git says what its repository is, as it does to its hooks: ours is another. */
const OUTER: readonly string[] = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
];

/** What git and its helpers get: nothing of ours or of bw's, and nobody to ask. @param token for https at GitHub, or null. */
export function gitEnv(context: Context, token: string | null): Record<string, string> {
  const env = Object.fromEntries(
    Object.entries(inheritedEnv(context.env, true)).filter(([name]) => {
      const upper = name.toUpperCase();
      return !/^(ALAI|BW)_/.test(upper) && upper !== "PATH" && !OUTER.includes(upper);
    }),
  );
  const quiet = { GIT_TERMINAL_PROMPT: "0", GCM_INTERACTIVE: "never", LC_ALL: "C" };
  return { ...env, ...quiet, PATH: safePath(context), ...(token !== null && header(env, token)) };
}

/** PATH without what the working folder could slip in: packages of its own, and folders that are named from it. */
function safePath({ env, cwd }: Context): string {
  const here = [resolve(cwd), real(cwd)].flatMap(upward);
  const unsafe = new Set(here.map((folder) => join(folder, "node_modules", ".bin")));
  const isSafe = (folder: string) => isAbsolute(folder) && !unsafe.has(resolve(folder)) && !unsafe.has(real(folder));
  return (env.PATH ?? "").split(delimiter).filter(isSafe).join(delimiter);
}

/** Without symlinks; as it is where there is no such folder. */
function real(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return resolve(folder);
  }
}

function upward(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...upward(above)];
}

/** One more setting after those that the environment brings. */
function header(env: Env, token: string): Record<string, string> {
  const count = /^\d+$/.test(env.GIT_CONFIG_COUNT ?? "") ? Number(env.GIT_CONFIG_COUNT) : 0;
  const value = `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
  return {
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: "http.https://github.com/.extraHeader",
    [`GIT_CONFIG_VALUE_${count}`]: value,
  };
}
