import { toIso } from "@alai/core";
import { requireHost } from "../dr/manifest/host.ts";
import { defineCommand } from "../kit/command.ts";
import type { Context } from "../kit/context.ts";
import { EXIT } from "../kit/exit.ts";
import { narrow, printRows } from "../kit/output.ts";
import { withSpinner } from "../kit/progress.ts";
import { toJson } from "../kit/text.ts";
import { manifestReader } from "../models/manifest.ts";
import type { Notice } from "../watch/machine/notice.ts";
import { sentenceOf } from "../watch/machine/sentence.ts";
import { aloneIn, openWatcher } from "../watch/open.ts";
import { isBad, statusRows } from "../watch/status.ts";
import { readKept, watchFolder } from "../watch/store.ts";
import { MANIFEST_FLAG } from "./watch/flags.ts";
import { HOST_FIELDS, hostView } from "./watch/view.ts";

/** How long --once tries to tell what is to be told. */
const TELLING = 30_000;

export const command = defineCommand({
  summary: "look at the hosts from outside, and tell people when one is down or not well",
  description: `Asks the agent of each host for its health by every address of the manifest at once, three seconds each. Two misses in a row on
all of them go to the channels, five minutes down to a person directly, and the end to all who were told; a path that is lost
while another answers is said once. Alarms of an agent that stand for as many looks go to the channels, and to a person directly when
they put a p0 database in danger for five minutes. It goes on until it is stopped (Ctrl-C, SIGTERM); a restart forgets nothing, and
repeats at most what was just being sent. It says a line a change on stderr; with --json an event a line on stdout. One watcher a user and machine.
--once looks until it knows, tells, and ends: exit 0 when all hosts are up and well, 1 when one is down or has alarms.
Secrets of channels are environment variables or bw:// references, named by the manifest: docs/watch.md.`,
  examples: [
    ["alai watch", "until it is stopped"],
    ["alai watch --once", "for a timer: exit 1 when a host is down or has alarms"],
    ["alai watch --host anvil --json", "one host, an event a line"],
  ],
  args: [],
  flags: {
    host: { value: "HOST", summary: "only this host; may be given again", multiple: true },
    once: { summary: "look until it is known what is up, tell, and end" },
    ...MANIFEST_FLAG,
  },
  fields: {
    ...HOST_FIELDS,
    event: "without --once: down, escalated, recovered, degraded, path_back or acknowledged",
    at: "without --once: when",
    text: "without --once: the sentence that is told",
    lasted_seconds: "without --once: for how long it is, or was, so",
    path: "without --once: the address of degraded and path_back, or null",
    by: "without --once: who acknowledged, or null",
  },
  async run(context, { flags }) {
    const manifest = manifestReader(context, flags.manifest);
    const first = manifest();
    for (const host of flags.host ?? []) requireHost(first, host);
    const once = flags.once === true;
    const folder = watchFolder(context);
    return aloneIn(folder, async () => {
      const names = flags.host ?? null;
      const watcher = await openWatcher(context, { manifest, names }, (notice) => tell(context, notice, once));
      if (!once) {
        await watcher.run(context.interrupted);
        return EXIT.ok;
      }
      const looking = () => watcher.once(context.interrupted, TELLING);
      const untold = await withSpinner(context, "looking…", looking);
      if (context.interrupted.aborted) return EXIT.interrupted;
      const { hosts, watch } = watcher.setting;
      const rows = statusRows(hosts, watch, readKept(folder), null);
      await printRows(context, rows, hostView(context.clock()));
      if (untold > 0) context.warn(`alerts that are not told yet: ${untold}; they are kept for the next time`);
      return rows.some(isBad) ? EXIT.refused : EXIT.ok;
    });
  },
});

function tell(context: Context, notice: Notice, once: boolean): void {
  const { io, flags } = context;
  if (!flags.json || once) {
    if (!flags.quiet) context.warn(sentenceOf(notice));
    return;
  }
  const { kind, host, incident, at, since, lasted, path, paths, by, alarms = null } = notice;
  const event = { event: kind, host, at: toIso(at), since: toIso(since), lasted_seconds: Math.round(lasted / 1000) };
  io.out(`${toJson(narrow({ ...event, text: sentenceOf(notice), incident, path, paths, alarms, by }, flags.json))}\n`);
}
