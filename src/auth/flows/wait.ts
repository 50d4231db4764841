import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** What a person does, or Exit 130 when they press Ctrl-C, or Exit 4 when they take too long. @param limit milliseconds. */
export async function waitForPerson<T>({ interrupted }: Context, work: Promise<T>, limit: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let stop = () => {};
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate(limit)), limit);
    stop = () => reject(new Exit(EXIT.interrupted, "interrupted", "Interrupted; nothing was changed."));
    if (interrupted.aborted) stop();
    interrupted.addEventListener("abort", stop);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
    interrupted.removeEventListener("abort", stop);
  }
}

function tooLate(limit: number): Exit {
  return new Exit(
    EXIT.signIn,
    "timed_out",
    `Nobody signed in within ${Math.round(limit / 1000)} s.`,
    "Type alai login again; --timeout 10m waits longer.",
  );
}
