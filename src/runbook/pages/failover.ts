import { lastWhole } from "../drills.ts";
import { measured } from "../lengths.ts";
import { block, list, plain } from "../markdown.ts";
import { flowchart, label } from "../mermaid.ts";
import { type Facts, type Page, timeOf } from "../page.ts";
import { primaryOf, standbysOf } from "../views.ts";
import { type Step, stepsOf } from "./failover-steps.ts";
import { switchover } from "./switchover.ts";

export const failover: Page = {
  title: "Failover step by step",
  file: "05-failover.md",
  uses: { state: true, drill: true },
  body: (facts) => {
    const [target] = standbysOf(facts);
    if (!target)
      return "The manifest has no standby. Set up another machine, add it to the manifest as one, and come back here.\n";
    const steps = stepsOf(facts, target);
    return `No command of alai takes a host over today: what is marked **by hand** is done by a person, in this order. What a drill has measured stands beside its step.

## Is it a failover?

${decisionTree(facts)}
## What will be lost

${loss(facts)}
## Steps

${steps.map(step).join("\n")}
## When nothing is lost: a planned switch

${switchover(facts, target, steps)}
## Times

${times(facts, steps)}`;
  },
};

function step({ title, by, why, commands, measuredSeconds }: Step, at: number): string {
  const time = measuredSeconds === null ? "not measured yet" : `measured: ${measured(measuredSeconds)}`;
  const words = why.map((sentence) => `${sentence}\n`).join("\n");
  return `### ${at + 1}. ${title}

*${by === "hand" ? "By hand" : "alai"}; ${time}.*

${words}${commands === "" ? "" : `\n${block("sh", commands)}`}`;
}

function loss({ status, drills: [drill] }: Facts): string {
  const worst = status?.databases.toSorted((a, b) => (b.rpo ?? -1) - (a.rpo ?? -1))[0];
  return list([
    worst?.rpo == null || !status
      ? "Now: not known when this was written; `alai dr status` shows it for each database (LOST)."
      : `At ${timeOf(status.at)}: at most ${measured(worst.rpo / 1000)} (${plain(worst.name)}); \`alai dr status\` shows it for each database (LOST).`,
    drill?.rpoWorstSeconds == null
      ? "In a drill: not measured yet."
      : `In the drill of ${timeOf(drill.startedAt)}: at most ${measured(drill.rpoWorstSeconds)}.`,
  ]);
}

function times({ drills }: Facts, steps: readonly Step[]): string {
  const drill = lastWhole(drills);
  const known = steps.filter(({ measuredSeconds }) => measuredSeconds !== null);
  if (!drill || known.length === 0) return `None of the ${steps.length} steps is measured yet.\n`;
  const by = `by the drill of ${timeOf(drill.startedAt)} (${plain(drill.mode)})`;
  const are = known.length === 1 ? "is" : "are";
  if (known.length < steps.length)
    return `${known.length} of ${steps.length} steps ${are} measured, ${by}. The others are a person's, and not measured yet: how long the whole takes is not known before somebody has done it with a clock.\n`;
  const sum = known.reduce((total, { measuredSeconds }) => total + (measuredSeconds ?? 0), 0);
  return `All ${steps.length} steps are measured, ${measured(sum)} together, ${by}.\n`;
}

function decisionTree(facts: Facts): string {
  const { manifest } = facts;
  const old = primaryOf(facts).name;
  const patience = manifest.watch.escalateAfter / 60_000;
  return flowchart("TD", [
    `q0{${label(`Does alai dr status reach ${old}?`)}}`,
    `q0 -->|yes| q1{${label("Is every database green?")}}`,
    `q1 -->|yes| e0[${label("Nothing to do")}]`,
    `q1 -->|no| e1[${label("Failure catalogue, by the alarm's name")}]`,
    `q0 -->|no| q2{${label(`Does ${old} answer another way: ping, ssh, power?`)}}`,
    `q2 -->|yes| e2[${label("Mend the network or the agent; the data are where they were")}]`,
    `q2 -->|no| q3{${label(`Will it be back within ${Number(patience.toFixed(1))} minutes?`)}}`,
    `q3 -->|yes| e3[${label("Wait: nothing is lost that is on its disk")}]`,
    `q3 -->|no| q4{${label("Can storage be listed?")}}`,
    `q4 -->|no| e4[${label("The standby's copies are what there is: wait for storage, or accept their age")}]`,
    `q4 -->|yes| q5{${label("Is what would be lost acceptable?")}}`,
    `q5 -->|no| e5[${label(`Bring ${old} or its disk back`)}]`,
    `q5 -->|yes| e6[${label("Fail over: the steps below")}]`,
  ]);
}
