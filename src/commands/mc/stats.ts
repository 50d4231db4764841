import { type Stats, toIso } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import { printJson } from "../../kit/output.ts";
import { type Style, styleFor } from "../../kit/style.ts";
import { oneLine } from "../../kit/text.ts";
import { span } from "../../kit/when.ts";
import { locateLedger, locateMirror, openLedger } from "../../mc/open.ts";
import { OFFLINE_FLAG } from "./shared.ts";

const FIELDS = {
  store: "which ledger was read",
  source: "what named it",
  kind: "sqlite",
  schema: "the schema's version",
  total: "all tasks",
  by_status: "tasks by status",
  held: "held now",
  expired: "with a lease that ran out",
  blocked: "open tasks that wait for others",
  overdue: "open tasks past their due date",
  events: "lines of the journal",
  done_last_7_days: "finished in the last seven days",
  median_time_to_done_ms: "from created to done, over the last 500 finished, or null",
  now: "the ledger's time",
} as const;

export const command = defineCommand({
  summary: "the ledger in numbers",
  description: "Lines (not on a terminal): name, value.",
  examples: [
    ["alai mc stats", "counts, and which ledger they are from"],
    ["alai mc stats --json=store,total,held", "for a script"],
  ],
  args: [],
  flags: OFFLINE_FLAG,
  fields: FIELDS,
  async run(context, { flags }) {
    const location = flags.offline ? await locateMirror(context) : locateLedger(context);
    const ledger = await openLedger(context, "read", flags.offline);
    const stats = await ledger.stats();
    const { json, quiet } = context.flags;
    if (json) return printJson(context, { ...stats, source: location.source, now: toIso(stats.now) });
    const style = await styleFor(context, context.io.stdoutIsTty);
    context.io.out(context.io.stdoutIsTty && !quiet ? picture(stats, location.source, style) : lines(stats));
  },
});

function rows(stats: Stats): [string, string][] {
  return [
    ["held", String(stats.held)],
    ["expired", String(stats.expired)],
    ["blocked", String(stats.blocked)],
    ["overdue", String(stats.overdue)],
    ["done in 7 days", String(stats.done_last_7_days)],
    ["time to done", stats.median_time_to_done_ms === null ? "–" : span(stats.median_time_to_done_ms)],
    ["events", String(stats.events)],
  ];
}

function lines(stats: Stats): string {
  const { by_status, now, ...flat } = stats;
  const all = [
    ...Object.entries(flat),
    ...Object.entries(by_status).map(([word, n]) => [`status.${word}`, n]),
    ["now", toIso(now)],
  ];
  return all.map(([name, value]) => `${oneLine(String(name))}\t${oneLine(String(value ?? ""))}\n`).join("");
}

const BAR = 40;

/** A bar a status, then the rest in two columns. */
function picture(stats: Stats, source: string, style: Style): string {
  const most = Math.max(1, ...Object.values(stats.by_status));
  const names = [...Object.keys(stats.by_status), ...rows(stats).map(([name]) => name)];
  const width = Math.max(...names.map((name) => name.length));
  const bars = Object.entries(stats.by_status).map(([word, n]) => {
    const bar = "█".repeat(Math.max(1, Math.round((n / most) * BAR)));
    return `  ${oneLine(word).padEnd(width)} ${style.accent(bar)} ${n}`;
  });
  const facts = rows(stats).map(([name, value]) => `  ${style.dim(name.padEnd(width))} ${value}`);
  return [
    `${style.strong(String(stats.total))} tasks in ${oneLine(stats.store)} ${style.dim(`(${source})`)}`,
    "",
    ...bars,
    "",
    ...facts,
    "",
  ].join("\n");
}
