import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { makeSealed, openSealed } from "../kit/sealed/store.ts";

/**
 * Values that a host must have on the day when the vault does not answer: sealed beside the tokens, by reference. Taken from the
 * vault while it answers, or given when the host was set up.
 */
export interface BreakGlass {
  /** When each was last seen to be right. */
  readonly at: Millis;
  readonly values: Readonly<Record<string, string>>;
}

const NAME = "break-glass";

export async function readBreakGlass(context: Context, profile: string): Promise<BreakGlass | null> {
  const bytes = (await openSealed(context, profile))?.read(NAME);
  return bytes ? (JSON.parse(bytes.toString("utf8")) as BreakGlass) : null;
}

/** Adds values to those that are sealed. @param insecure keep the key in a file, when there is no store yet. */
export async function keepBreakGlass(
  context: Context,
  profile: string,
  values: Readonly<Record<string, string>>,
  insecure: boolean,
): Promise<number> {
  const store = (await openSealed(context, profile)) ?? (await makeSealed(context, profile, insecure));
  return store.locked(NAME, () => {
    const before = store.read(NAME);
    const known = before ? (JSON.parse(before.toString("utf8")) as BreakGlass).values : {};
    const all = { ...known, ...values };
    store.write(NAME, Buffer.from(JSON.stringify({ at: context.clock(), values: all } satisfies BreakGlass)));
    return Object.keys(all).length;
  });
}
