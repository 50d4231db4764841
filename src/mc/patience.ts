import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { duration, readFrom } from "../kit/values.ts";
import { span } from "../kit/when.ts";
import { locateLedger } from "./open.ts";
import { OUTAGE, type Waiting } from "./outage.ts";

/** How long the user would wait for the server: `--timeout` > `ALAI_MC_TIMEOUT` > the setting; undefined when nothing says. */
export function askedPatience({ flags, env, settings }: Context): Millis | undefined {
  if (flags.timeout !== undefined) return flags.timeout;
  const words = env.ALAI_MC_TIMEOUT;
  if (words) return readFrom("ALAI_MC_TIMEOUT", () => duration(words));
  const setting = settings().get("mc.timeout");
  return typeof setting === "string" ? duration(setting) : undefined;
}

/** How long an outage of the ledger is waited out: a file is there or it is not; a server may come back. */
function outagePatience(context: Context): Millis {
  return locateLedger(context).kind === "url" ? (askedPatience(context) ?? OUTAGE) : 0;
}

/** Waits out an outage, and says so on stderr, once each time. @param by what makes that time longer or shorter. */
export function patiently(context: Context, stop: AbortSignal, by = "--timeout"): Waiting {
  const say = (sentence: string) => {
    if (!context.flags.quiet) context.warn(sentence);
  };
  return {
    stop,
    patience: outagePatience(context),
    away: ({ message }, left) => say(`${message} Waiting for the server, ${span(left)} at most (${by})`),
    back: () => say("the server answers again"),
  };
}
