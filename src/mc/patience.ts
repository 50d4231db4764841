import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { duration } from "../kit/values.ts";

/** How long the user would wait for the server: `--timeout` > `ALAI_MC_TIMEOUT` > the setting; undefined when nothing says. */
export function askedPatience({ flags, env, settings }: Context): Millis | undefined {
  const setting = settings().get("mc.timeout");
  const words = env.ALAI_MC_TIMEOUT || (typeof setting === "string" ? setting : undefined);
  return flags.timeout ?? (words === undefined ? undefined : duration(words));
}
