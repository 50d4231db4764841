import type { NextTask } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printResults } from "../../kit/output.ts";
import { oneLine } from "../../kit/text.ts";
import { name, priority } from "../../kit/values.ts";
import { relative } from "../../kit/when.ts";
import { nextTask } from "../../mc/next.ts";
import { openLedger } from "../../mc/open.ts";
import { TASK_FIELDS, taskJson } from "../../mc/views/task.ts";
import { leaseTtl, OFFLINE_FLAG, TTL_FLAGS } from "./shared.ts";

export const command = defineCommand({
  summary: "the task to do next, and why",
  description:
    "The first task that can be claimed: open, held by nobody, waiting for nothing, not deferred; by priority, due date, id.\nNothing ready: exit 1. Lines (not on a terminal): id, fence, title, why.",
  examples: [
    ["alai mc next", "what to do"],
    ["alai mc next --claim --project infra", "take it in the same step"],
    ["id=$(alai mc next --claim -q) && alai mc run $id -- make", "for a script"],
  ],
  args: [],
  flags: {
    claim: { summary: "claim it in the same step" },
    ...TTL_FLAGS,
    project: { value: "NAME", summary: "in this project", multiple: true, parse: name("project") },
    owner: { value: "NAME", summary: "of this owner", multiple: true, parse: name("owner") },
    tag: { short: "t", value: "TAG", summary: "with this tag", multiple: true, parse: name("tag") },
    priority: { short: "p", value: "N", summary: "of this priority", multiple: true, parse: priority },
    ...OFFLINE_FLAG,
  },
  fields: { ...TASK_FIELDS, why: "array of reasons", claimed: "true when this call claimed it" },
  async run(context, { flags }) {
    const { project, owner, tag, priority: level } = flags;
    if (flags.claim && flags.offline)
      throw usage("--claim changes the ledger, and a mirror takes no changes.", "Leave --offline out.");
    const claim = flags.claim ? { ttl: leaseTtl(context, flags) } : null;
    const ledger = await openLedger(context, "read", flags.offline);
    const next = await nextTask(ledger, { project, owner, tags: tag, priority: level }, context.caller(), claim);
    const now = context.clock();
    await printResults<NextTask>(
      context,
      [next],
      {
        columns: [
          { header: "ID", value: ({ task }) => String(task.id) },
          { header: "FENCE", value: ({ grant }) => (grant ? String(grant.fence) : "") },
          { header: "TITLE", value: ({ task }) => task.title },
          { header: "WHY", value: ({ why }) => why.join("; ") },
        ],
        json: ({ task, why, grant }) => ({ ...taskJson(task), why, claimed: grant !== null }),
        sentence: ({ task, why, grant }, style) => {
          const held = grant ? ` ${style.dim(`yours, fence ${grant.fence}, ends ${relative(grant.until, now)}`)}` : "";
          return `${style.strong(`#${task.id}`)} ${oneLine(task.title)}${held}\n  ${style.dim(`because: ${oneLine(why.join("; "))}`)}`;
        },
      },
      true,
    );
  },
});
