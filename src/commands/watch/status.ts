import { readManifest } from "../../dr/manifest/read.ts";
import { defineCommand } from "../../kit/command.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";
import { relative } from "../../kit/when.ts";
import { isBad, isFresh, statusRows } from "../../watch/status.ts";
import { readKept, watchFolder } from "../../watch/store.ts";
import { MANIFEST_FLAG } from "./flags.ts";
import { HOST_FIELDS, hostView } from "./view.ts";

export const command = defineCommand({
  summary: "what the watcher of this machine sees, has told, and will do next",
  description: `Exit 0 when all hosts are up and well, 1 when one is down or has alarms, 69 when no watcher has looked lately: nothing is known then.
Lines (not on a terminal): host, state, since, paths, what was told last, what comes next, alarms, when it was last looked at.`,
  examples: [
    ["alai watch status", "hosts, paths, what was told"],
    ["alai watch status --json=host,state,said", "for a script"],
  ],
  args: [],
  flags: { ...MANIFEST_FLAG },
  fields: HOST_FIELDS,
  async run(context, { flags }) {
    const { hosts, watch } = readManifest(context, flags.manifest);
    const [kept, now] = [readKept(watchFolder(context)), context.clock()];
    const rows = statusRows(hosts, watch, kept, now);
    await printRows(context, rows, hostView(now));
    if (!kept) context.warn("no watcher has run here: alai watch");
    else if (!isFresh(kept, now))
      context.warn(`the watcher last looked ${relative(kept.at, now)}: nothing is known now`);
    if (rows.some(({ state }) => state === "unknown")) return EXIT.unavailable;
    return rows.some(isBad) ? EXIT.refused : EXIT.ok;
  },
});
