import { homedir } from "node:os";
import { join } from "node:path";
import type { Env } from "./env.ts";

/** Folders of this user on this platform: XDG, AppData or Library. */
export interface Paths {
  readonly config: string;
  readonly data: string;
  readonly cache: string;
}

/** @param platform Node's name of the platform (`linux`, `darwin`, `win32`, …). */
export function platformPaths(env: Env, platform: string): Paths {
  const paths = defaults(env, platform);
  return {
    config: env.ALAI_CONFIG_DIR || paths.config,
    data: env.ALAI_DATA_DIR || paths.data,
    cache: env.ALAI_CACHE_DIR || paths.cache,
  };
}

function defaults(env: Env, platform: string): Paths {
  const home = env.HOME || homedir();
  if (platform === "win32") {
    const roaming = env.APPDATA || join(home, "AppData", "Roaming");
    const local = env.LOCALAPPDATA || join(home, "AppData", "Local");
    return { config: join(roaming, "alai"), data: join(local, "alai", "data"), cache: join(local, "alai", "cache") };
  }
  if (platform === "darwin" && !env.XDG_CONFIG_HOME && !env.XDG_DATA_HOME) {
    const library = join(home, "Library");
    return {
      config: join(library, "Preferences", "alai"),
      data: join(library, "Application Support", "alai"),
      cache: join(library, "Caches", "alai"),
    };
  }
  return {
    config: join(env.XDG_CONFIG_HOME || join(home, ".config"), "alai"),
    data: join(env.XDG_DATA_HOME || join(home, ".local", "share"), "alai"),
    cache: join(env.XDG_CACHE_HOME || join(home, ".cache"), "alai"),
  };
}
