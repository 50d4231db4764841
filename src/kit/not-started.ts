import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A command that never ran, in the exit codes of shells. */
export interface NotStarted {
  readonly kind: "not_started";
  readonly exit: 126 | 127;
  readonly message: string;
}

/** Why a command did not start: 127 there is none, 126 it cannot be run. @param code the system's. @param path PATH as it was searched. */
export function notStarted(program: string, code: string, path: string | undefined): NotStarted {
  // A folder of PATH that may not be read makes the system say EACCES of a program that is nowhere.
  const missing = code === "ENOENT" || (code === "EACCES" && !isFound(program, path));
  return {
    kind: "not_started",
    exit: missing ? 127 : 126,
    message: missing ? `There is no command ${program}.` : `The command ${program} cannot be run (${code}).`,
  };
}

function isFound(program: string, path = ""): boolean {
  if (program.includes("/") || program.includes("\\")) return true;
  return path.split(delimiter).some((dir) => dir !== "" && existsSync(join(dir, program)));
}
