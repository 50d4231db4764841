import { age } from "../../dr/status/age.ts";
import type { Line } from "../../dr/status/lines.ts";
import type { Status } from "../../dr/status/status.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson, printRows, type View } from "../../kit/output.ts";
import { styleFor } from "../../kit/style.ts";
import { duration } from "../../kit/values.ts";
import { MANIFEST_FLAG } from "./flags.ts";

const DAY = 86_400_000;
const ROUND = 2000;
const CODES: Readonly<Record<Status["level"], number>> = {
  ok: EXIT.ok,
  degraded: EXIT.refused,
  unproven: EXIT.refused,
  breached: EXIT.refused,
  unknown: EXIT.unavailable,
};

export const command = defineCommand({
  summary: "is the data safe, and what proves it",
  description: `Asks every host's agent and storage, all at once, three seconds at most. The whole is as its worst part, worst first: breached, unknown,
unproven, degraded, ok. Exit 0 ok, 69 unknown, 1 the others.
Evidence: A a heartbeat was read back out of storage, B Litestream's position is the newest in a listing of storage, C only
Litestream says so: shown as UNPROVEN, never green. A database that no alai dr prove has restored for 36 h is red, as is one whose
last proof failed, or which the files that storage lists cannot restore.
Agents on other machines want the token in ALAI_DR_TOKEN. What to do about each alarm: docs/dr.md.
Lines (not on a terminal): level, name, tier, evidence, milliseconds lost at most, allowed, ship lag, copy lag, why, kind. After the
databases (kind database) a line for each host that does not answer or says why it is not well (host), for each alarm of a host
(alarm; name is the host, why begins with the alarm's kind), and for storage that cannot be listed (storage).`,
  examples: [
    ["alai dr status", "the heat map, and what is not green"],
    ["alai dr status --all", "a row for each database, with its lags"],
    ["alai dr status --watch", "again and again, until Ctrl-C"],
    ["alai dr status --html status.html", "a page with plots of the last day"],
  ],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    all: { summary: "on a terminal: a row for each database, not only for those that are not green" },
    watch: { summary: "again every two seconds, until Ctrl-C" },
    html: { value: "FILE", summary: "write a page with heat map and plots" },
    since: { value: "TIME", summary: "how far back the page's plots go (1d)", parse: duration },
  },
  fields: {
    level: "breached, unknown, unproven, degraded or ok: the first of these that anything is",
    at: "when it was asked, ISO 8601",
    epoch: "the promotion epoch, or null",
    hosts: "each host: role, answers, address, trouble, alarms",
    storage: "label, epoch, which host writes (primary), when it was listed, trouble",
    databases:
      "each database: level, evidence, rpo_ms, limit_ms, the heads (committed, shipped, applied, published) and their lags, breaches, why",
  },
  async run(context, { flags }) {
    if (flags.watch && flags.html !== undefined)
      throw usage("--watch and --html do not go together.", "Leave one of them out.");
    const [{ readManifest }, { takeStatus }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/status/take.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    if (flags.watch) return watch(context, flags.all === true, () => takeStatus(context, manifest));
    const status = await takeStatus(context, manifest);
    if (flags.html !== undefined) {
      const { writePage } = await import("../../dr/status/page.ts");
      await writePage(context, manifest, status, { file: flags.html, since: status.at - (flags.since ?? DAY) });
    }
    await show(context, status, flags.all === true);
    return CODES[status.level];
  },
});

/** Draws over what was drawn before; in a pipe each round follows the one before. */
async function watch(context: Context, all: boolean, take: () => Promise<Status>): Promise<number> {
  const { io, interrupted, flags } = context;
  const { pause } = await import("../../dr/agent/loop.ts");
  const draws = io.stdoutIsTty && !flags.json;
  let code: number = EXIT.unavailable;
  while (!interrupted.aborted) {
    const status = await take();
    code = CODES[status.level];
    if (draws) io.out("\u001b[H\u001b[2J");
    await show(context, status, all);
    await pause(ROUND, interrupted);
  }
  return code;
}

async function show(context: Context, status: Status, all: boolean): Promise<void> {
  const { io, flags } = context;
  const { toJson } = await import("../../dr/status/json.ts");
  if (flags.json) return printJson(context, toJson(status));
  if (flags.quiet) return;
  const { databaseLine, toLines } = await import("../../dr/status/lines.ts");
  if (!io.stdoutIsTty) return printRows<Line>(context, toLines(status), VIEW);
  const { toScreen, notGreen, worstFirst } = await import("../../dr/status/screen.ts");
  io.out(toScreen(status, await styleFor(context, true), io.columns));
  const rows = all ? worstFirst(status) : notGreen(status);
  if (rows.length > 0) await printRows<Line>(context, rows.map(databaseLine), VIEW);
}

const COLOURS = {
  breached: "bad",
  unknown: "bad",
  unproven: "warn",
  degraded: "warn",
  ok: "good",
  empty: "dim",
} as const;

const VIEW: View<Line> = {
  columns: [
    { header: "LEVEL", value: ({ level }) => level, show: ({ level }, style) => style[COLOURS[level]](level) },
    { header: "NAME", value: ({ name }) => name },
    { header: "TIER", value: ({ tier }) => tier, expendable: 3 },
    { header: "BY", value: ({ evidence }) => evidence ?? "", expendable: 4 },
    { header: "LOST", value: ({ rpo }) => milliseconds(rpo), show: ({ rpo }) => age(rpo), right: true },
    {
      header: "ALLOWED",
      value: ({ limit }) => milliseconds(limit),
      show: ({ limit }) => age(limit),
      right: true,
      expendable: 2,
    },
    {
      header: "SHIP LAG",
      value: ({ shipLag }) => milliseconds(shipLag),
      show: ({ shipLag }) => age(shipLag),
      right: true,
      expendable: 5,
    },
    {
      header: "COPY LAG",
      value: ({ copyLag }) => milliseconds(copyLag),
      show: ({ copyLag }) => age(copyLag),
      right: true,
      expendable: 5,
    },
    { header: "WHY", value: ({ reasons }) => reasons.join(" "), flexible: true, wraps: true },
    { header: "KIND", value: ({ kind }) => kind, only: "lines" },
  ],
  json: (row) => ({ ...row }),
};

function milliseconds(ms: number | null): string {
  return ms === null ? "" : String(Math.round(ms));
}
