import { fileURLToPath } from "node:url";
import type { World } from "./context.ts";
import { processIo } from "./io.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const;

/** The real world. The only place that reads `process` for the commands. @param entry the URL of the executable's module. */
export function processWorld(entry: string, version: string): World {
  return {
    io: processIo(process.env),
    env: process.env,
    platform: process.platform,
    cwd: process.cwd(),
    version,
    // `--` keeps Node from taking words of ours, --env-file above all, for its own.
    self: isStandalone(entry) ? [process.execPath] : [process.execPath, "--", fileURLToPath(entry)],
    onSignal(listener) {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
  };
}

/** In a binary made by bun the modules are in a file system of its own. */
function isStandalone(entry: string): boolean {
  return entry.includes("/$bunfs/") || entry.includes("~BUN");
}
