import { existsSync } from "node:fs";
import type { Place } from "./harness.ts";
import type { Options, Running } from "./running.ts";

/** Runs under a pseudo-terminal, which util-linux's `script` makes. Each run is a terminal of its own. */

const SCRIPT = "/usr/bin/script";

/** A shell line on a terminal; `alai` in it is the build under test. stdout and stderr come together, as on a screen. */
export function onTerminal(place: Place, line: string, options: Options = {}): Running {
  if (!existsSync(SCRIPT)) throw new Error(`${SCRIPT} is missing: install util-linux (Debian: bsdutils).`);
  const shell = `alai() { ${place.build.command.map(quote).join(" ")} "$@"; }; ${line}`;
  return place.spawn([SCRIPT, "-qefc", shell, "/dev/null"], {
    ...options,
    env: { COLUMNS: "120", SHELL: "/bin/sh", ...options.env },
  });
}

/** What the line prints on the screen, with plain line ends, and its exit code. */
export async function screen(
  place: Place,
  line: string,
  options: Options = {},
): Promise<{ text: string; code: number | null }> {
  const { stdout, code } = await onTerminal(place, line, options).ended;
  return { text: stdout.replaceAll("\r\n", "\n"), code };
}

export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
