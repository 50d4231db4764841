import { formatHolder, type ListQuery, SORT_KEYS, type Sort, type SortKey } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { printRows } from "../../kit/output.ts";
import { date, name, oneOf, priority, taskId, wholeNumber } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { LIST_FIELDS, TABLE_FIELDS, TASK_FIELDS, taskView } from "../../mc/views/task.ts";
import { OFFLINE_FLAG, wantedFields } from "./shared.ts";

/** Rows on a terminal when --limit does not say; a pipe gets all. */
const SCREENFUL = 50;

export const command = defineCommand({
  summary: "list tasks",
  description:
    "Shows open tasks (open and ready), most urgent first: by priority, then due date, then id.\nLines (not on a terminal): id, status, priority, title, project, owner, tags, due, holder, until.",
  examples: [
    ["alai mc list", "open tasks, most urgent first"],
    ["alai mc list --mine", "what this session holds"],
    ["alai mc list --free --project infra --tag security", "what can be claimed there"],
    ["alai mc list --status done --sort -updated --limit 10", "the last ten finished"],
    ["alai mc list --all --json=id,title,status", "everything, for a script"],
  ],
  args: [],
  flags: {
    status: {
      short: "s",
      value: "WORD",
      summary: "open, ready, paused, done, cancelled, or the file's own word",
      multiple: true,
      parse: name("status"),
    },
    all: { short: "a", summary: "any status" },
    project: { value: "NAME", summary: "in this project", multiple: true, parse: name("project") },
    owner: { value: "NAME", summary: "of this owner", multiple: true, parse: name("owner") },
    tag: {
      short: "t",
      value: "TAG",
      summary: "with this tag; several: with all of them",
      multiple: true,
      parse: name("tag"),
    },
    priority: { short: "p", value: "N", summary: "of this priority", multiple: true, parse: priority },
    text: { value: "WORD", summary: "with this in title or description", parse: name("text") },
    parent: { value: "ID", summary: "part of this task", parse: taskId },
    mine: { summary: "held by this session" },
    held: { summary: "held by anyone" },
    free: { summary: "held by nobody" },
    expired: { summary: "whose lease ran out and was not taken since" },
    blocked: { summary: "that wait for an open task" },
    dueBefore: { value: "DATE", summary: "due before this", parse: date },
    sort: {
      value: "KEY",
      summary: `by ${SORT_KEYS.join(", ")}; - in front turns it round`,
      multiple: true,
      parse: sortKey,
    },
    limit: {
      short: "n",
      value: "N",
      summary: `at most N; 0 is all (${SCREENFUL} on a terminal, else all)`,
      parse: wholeNumber("limit"),
    },
    ...OFFLINE_FLAG,
  },
  fields: TASK_FIELDS,
  async run(context, { flags }) {
    refuseContradictions(flags);
    const limit = flags.limit ?? (context.io.stdoutIsTty && !context.flags.json ? SCREENFUL : 0);
    const query: ListQuery = {
      status: wantedStatus(flags),
      project: flags.project,
      owner: flags.owner,
      tags: flags.tag,
      priority: flags.priority,
      text: flags.text === undefined ? undefined : [flags.text],
      parent: flags.parent,
      heldBy: flags.mine ? formatHolder(context.identity()) : undefined,
      held: flags.held,
      free: flags.free,
      expired: flags.expired,
      blocked: flags.blocked,
      dueBefore: flags.dueBefore,
      sort: flags.sort,
      limit,
      fields: wantedFields(context, context.io.stdoutIsTty ? [...LIST_FIELDS, ...TABLE_FIELDS] : LIST_FIELDS),
    };
    const ledger = await openLedger(context, "read", flags.offline);
    const { tasks, cut } = await ledger.list(query);
    await printRows(context, tasks, taskView(context.clock()));
    if (cut) sayCut(context, limit);
  },
});

interface StatusFlags {
  readonly [flag: string]: unknown;
  readonly status?: string[] | undefined;
}

const CONTRADICTIONS: readonly (readonly [string, string])[] = [
  ["all", "status"],
  ["held", "free"],
  ["mine", "free"],
  ["expired", "held"],
  ["expired", "mine"],
];

function refuseContradictions(flags: StatusFlags): void {
  const pair = CONTRADICTIONS.find(([a, b]) => flags[a] && flags[b]);
  if (pair) throw usage(`--${pair[0]} and --${pair[1]} contradict each other.`, "Leave one of them out.");
}

/** Who asks about leases wants them whatever the task's status. */
function wantedStatus(flags: StatusFlags): readonly string[] | undefined {
  const any = flags.all || flags.held || flags.expired || flags.mine;
  return flags.status ?? (any ? [] : undefined);
}

function sortKey(raw: string): Sort {
  const descending = raw.startsWith("-");
  return { key: oneOf("sort key", SORT_KEYS)(descending ? raw.slice(1) : raw) as SortKey, descending };
}

function sayCut(context: Context, limit: number): void {
  context.io.err(`Only the first ${limit} are shown; --limit 0 shows all.\n`);
}
