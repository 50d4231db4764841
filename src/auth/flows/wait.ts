import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { FlowWorld } from "./flow.ts";

/** Longer than any page of an issuer holds; a timer of weeks would fire at once. */
const DAY = 86_400_000;

/** What a person does, or Exit 130 when they press Ctrl-C, or Exit 4 when they take too long. */
export async function waitForPerson<T>({ context, limit, again }: FlowWorld, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(tooLate(limit, again)), Math.min(limit, DAY));
  try {
    return await orInterrupted(context, Promise.race([work, late]));
  } finally {
    clearTimeout(timer);
  }
}

/** The work's end, or Exit 130 at once when Ctrl-C is pressed; what it still waits for is let go of when the command ends. */
export async function orInterrupted<T>({ interrupted }: Context, work: Promise<T>): Promise<T> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const stop = () =>
    reject(new Exit(EXIT.interrupted, "interrupted", "Interrupted; nothing that was stored is changed."));
  if (interrupted.aborted) stop();
  interrupted.addEventListener("abort", stop);
  try {
    return await Promise.race([work, end]);
  } finally {
    interrupted.removeEventListener("abort", stop);
  }
}

function tooLate(limit: number, again: string): Exit {
  return new Exit(
    EXIT.signIn,
    "timed_out",
    `Nobody signed in within ${Math.round(limit / 1000)} s.`,
    `Type ${again} again; --timeout 10m waits longer.`,
  );
}
