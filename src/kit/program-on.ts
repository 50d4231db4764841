import type { Context } from "./context.ts";

/**
 * The words that start alai on a machine with this system: this program itself by its absolute path where this machine has the same
 * one, because a daemon's PATH has no folder of a person's. @returns null where the machine has another system: nothing is known of it.
 */
export function programOn(
  context: Pick<Context, "self" | "platform">,
  os: "linux" | "darwin",
): readonly string[] | null {
  return (context.platform === "darwin" ? "darwin" : "linux") === os ? context.self : null;
}

/** Looks alai up in the PATH that the unit gives. */
export const PROGRAM_IN_PATH: readonly string[] = ["/usr/bin/env", "alai"];
