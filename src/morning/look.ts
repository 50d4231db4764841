import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Context } from "../kit/context.ts";
import { Exit, toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";

/** One line of `alai start`. */
export interface Look {
  readonly name: string;
  readonly kind: string;
  /** `ok` it answers; `down` it does not; `none` it is not configured. */
  readonly state: "ok" | "down" | "none";
  readonly finding: string;
  /** How long the answer took; null where nothing was asked. */
  readonly latency: Millis | null;
  /** The profile calls it essential. */
  readonly essential: boolean;
}

/** What is looked at, before it is. */
export interface Subject {
  readonly name: string;
  readonly kind: string;
  readonly essential: boolean;
  /** Null: not configured. Throws what it fails with. @returns what to say. */
  readonly ask: ((context: Context, limit: Millis) => Promise<string>) | null;
}

/** One host that does not answer must not keep the others' lines back. */
const LIMIT: Millis = 3000;

/** Looks at everything at once; no answer within three seconds is none. */
export function lookAt(context: Context, subjects: readonly Subject[]): Promise<readonly Look[]> {
  return Promise.all(subjects.map((subject) => look(context, subject)));
}

async function look(context: Context, { name, kind, essential, ask }: Subject): Promise<Look> {
  if (!ask) return { name, kind, essential, state: "none", finding: "not configured", latency: null };
  const start = monotonic();
  try {
    const finding = await within(LIMIT, ask(context, LIMIT));
    return { name, kind, essential, state: "ok", finding, latency: monotonic() - start };
  } catch (error) {
    return { name, kind, essential, state: "down", finding: toFailure(error).message, latency: monotonic() - start };
  }
}

async function within<T>(limit: Millis, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Exit(EXIT.unavailable, "no_answer", `no answer within ${limit / 1000} s`)),
      limit,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
