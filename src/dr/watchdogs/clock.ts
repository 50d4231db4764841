import type { Millis } from "@alai/core";
import type { Watchdog } from "./watched.ts";

/** How far clocks may be apart: every age that is shown is a difference of two of them. */
export const SKEW: Millis = 1000;

/** A clock that is certainly more than a second off ours, whatever the way there took. */
export const clockSkew: Watchdog = ({ clocks }) =>
  clocks.flatMap(({ whose, ahead, give }) => {
    if (Math.abs(ahead) - give <= SKEW) return [];
    const seconds = (Math.abs(ahead) / 1000).toFixed(1);
    const sentence = `The clock of ${whose} is ${seconds} s ${ahead > 0 ? "ahead of" : "behind"} this host's: ages are wrong by as much.`;
    return [{ kind: "clock_skew", subject: whose, sentence }];
  });
