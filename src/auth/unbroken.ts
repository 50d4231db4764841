import type { Context } from "../kit/context.ts";

/**
 * Puts signals off while `body` runs: a refresh token that was given out and not kept is a sign-in that is over, and Ctrl-C
 * comes at any time. A second one is not put off.
 */
export async function unbroken<T>(context: Pick<Context, "onSignal">, body: () => Promise<T>): Promise<T> {
  const got: NodeJS.Signals[] = [];
  const stop = context.onSignal((signal) => {
    got.push(signal);
    if (ENDING.includes(signal) && got.filter((one) => ENDING.includes(one)).length > 1) end();
  });
  const end = () => {
    stop();
    // Who listens has heard it already.
    for (const signal of new Set(got)) if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  try {
    return await body();
  } finally {
    end();
  }
}

const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
