import { StoreError } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { withLock } from "../../kit/lock.ts";
import { withSpinner } from "../../kit/progress.ts";
import { sweepFolders } from "../bw/folder.ts";
import { findBw, warnIfUntested } from "../bw/program.ts";
import { serverSlug } from "../server-address.ts";
import { Patience, SideRefusal } from "./patience.ts";
import type { Role, Side } from "./side.ts";
import { type Key, openSide } from "./sign-in.ts";

/** So long nothing may succeed before it is given up. */
const LIMIT = 300_000;
const GO_ON = "Type the same command again: it goes on where it stopped, and adds nothing twice.";

export interface Signing {
  readonly role: Role;
  readonly server: string;
  readonly key: Key;
}

/**
 * Signs in to these sides at once, and runs `body` with them while no other migration of this machine has the same destination.
 * What bw refuses comes out in a sentence of ours; the sides are closed in any case.
 */
export async function withSides<T>(
  context: Context,
  signings: readonly Signing[],
  body: (sides: readonly Side[], patience: Patience) => Promise<T>,
): Promise<T> {
  sweepFolders(context);
  const program = findBw(context);
  warnIfUntested(context);
  const destination = signings.at(-1)?.server ?? "";
  return alone(context, destination, async () => {
    const opening = signings.map(({ role, server, key }) => openSide({ context, program, role, server }, key));
    try {
      const sides = await withSpinner(context, "Signing in", () => Promise.all(opening));
      const ended = interruption(context.interrupted);
      return await Promise.race([body(sides, new Patience(context.interrupted, LIMIT)), ended]);
    } catch (error) {
      throw worded(error, context.interrupted);
    } finally {
      for (const side of await Promise.allSettled(opening)) if (side.status === "fulfilled") side.value.close();
    }
  });
}

async function alone<T>(context: Context, destination: string, body: () => Promise<T>): Promise<T> {
  try {
    return await withLock(context.paths.data, `migrate-${serverSlug(destination)}`, body, 500);
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "locked")) throw error;
    throw new Exit(
      EXIT.unavailable,
      "locked",
      `Another migration to ${destination} is under way on this machine.`,
      "Wait until it has ended.",
    );
  }
}

function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(new Exit(EXIT.interrupted, "interrupted", "Interrupted.", GO_ON));
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
}

function worded(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted && !(error instanceof Exit && error.exit === EXIT.interrupted))
    return new Exit(EXIT.interrupted, "interrupted", "Interrupted.", "Type the same command again; it goes on.");
  if (error instanceof Exit && error.code === "bw_failed")
    return new Exit(error.exit, error.code, error.message, GO_ON);
  if (!(error instanceof SideRefusal)) return error;
  return new Exit(
    EXIT.unavailable,
    "bw_refused",
    `Bitwarden's program refused: ${error.message}`,
    "Type the same command again: it goes on where it stopped.",
  );
}
