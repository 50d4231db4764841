import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { Watchdog } from "./watched.ts";

const WORDS = { prove: "alai dr prove", drill: "alai dr drill --isolated" } as const;

/** It waits for storage that answers and a host that is at ease, and takes its time; so long it should not have to. */
const OVERDUE: Millis = 12 * 3_600_000;

/** The agent's own daily runs: one that failed, until a good one, and one that does not come to its turn. */
export const dailyFailed: Watchdog = ({ daily, now }) =>
  daily.flatMap(({ job, problem, dueAt, log }) => {
    const of = (sentence: string) => [{ kind: "daily_failed" as const, subject: job, sentence }];
    if (problem !== null) return of(`The daily ${WORDS[job]} failed: ${problem}. Its log is ${log}.`);
    if (now - dueAt <= OVERDUE) return [];
    return of(
      `The daily ${WORDS[job]} has been due for ${span(now - dueAt)} and is not done: it waits for storage or for a disk with room, or hangs. Its log is ${log}.`,
    );
  });
