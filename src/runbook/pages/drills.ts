import { nextAfter } from "../../dr/daily/schedule.ts";
import type { Drill } from "../drills.ts";
import { measured } from "../lengths.ts";
import { block, list, plain, table } from "../markdown.ts";
import { type Facts, type Page, timeOf } from "../page.ts";

/** Of the history. */
const SHOWN = 12;

export const drills: Page = {
  title: "Drill schedule",
  file: "09-drills.md",
  uses: { state: true, drill: true },
  body: (facts) => `## Next

${list([...nextDrill(facts), ...nextProof(facts)])}
## Drills so far

${history(facts.drills)}
## What each is

- **Every day**, by the standby's agent: the proof. Every database restored from storage, checked, and once more as of an earlier moment.
- **Every day**, by the standby's agent: the isolated drill. It measures without touching production; its times stand in *Failover step by step*.
- **Every quarter, by hand**: the whole of *Failover step by step* on a quiet day, and back again. Write the times down: no program measures a person.

${block("sh", "alai dr prove\nalai dr drill --isolated")}`,
};

function nextDrill({ manifest: { daily }, drills: [last] }: Facts): string[] {
  const before = last ? ` The last was at ${timeOf(last.startedAt)}.` : "";
  if (daily.drill === null)
    return [`The isolated drill: the manifest says \`daily.drill: off\`, so somebody has to make it.${before}`];
  if (!last) return ["The isolated drill: no drill is known, so it is due now."];
  return [`The isolated drill: due at ${timeOf(nextAfter(daily.drill, last.startedAt))}.${before}`];
}

function nextProof({ manifest: { daily }, status }: Facts): string[] {
  if (daily.prove === null)
    return ["The proof: the manifest says `daily.prove: off`, so somebody has to type `alai dr prove` every day."];
  const times = (status?.databases ?? []).filter(({ level }) => level !== "empty").map(({ provenAt }) => provenAt);
  if (times.length === 0) return ["The proof: when it was last made is not known here."];
  const never = times.filter((at) => at === null).length;
  if (never > 0) return [`The proof: due now; ${never} of ${times.length} databases were never proven.`];
  const oldest = Math.min(...times.map((at) => at ?? 0));
  return [`The proof: due at ${timeOf(nextAfter(daily.prove, oldest))}. The oldest is of ${timeOf(oldest)}.`];
}

function history(all: readonly Drill[]): string {
  if (all.length === 0) return "None is known.\n";
  const rows = all
    .slice(0, SHOWN)
    .map((drill) => [
      timeOf(drill.startedAt),
      plain(drill.mode),
      plain(drill.verdict),
      `${drill.databases.filter(({ ok }) => ok).length} of ${drill.databases.length}`,
      drill.restoreSeconds === null ? "not measured" : measured(drill.restoreSeconds),
      drill.rpoWorstSeconds === null ? "not measured" : measured(drill.rpoWorstSeconds),
      `${drill.findings}`,
    ]);
  return `${table(["When", "Mode", "Verdict", "Restored and good", "Restore of all", "Lost at most", "Findings"], rows)}
${slowest(all[0])}`;
}

function slowest(drill: Drill | undefined): string {
  const timed = (drill?.databases ?? []).flatMap(({ name, seconds }) => (seconds === null ? [] : [{ name, seconds }]));
  if (timed.length === 0) return "";
  const longest = timed.toSorted((a, b) => b.seconds - a.seconds || (a.name < b.name ? -1 : 1)).slice(0, 5);
  return `The slowest of the last: ${longest.map(({ name, seconds }) => `${plain(name)} ${measured(seconds)}`).join(", ")}.\n`;
}
