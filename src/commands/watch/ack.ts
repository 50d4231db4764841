import { toIso } from "@alai/core";
import { readManifest } from "../../dr/manifest/read.ts";
import { defineCommand } from "../../kit/command.ts";
import { printResults } from "../../kit/output.ts";
import { duration, name } from "../../kit/values.ts";
import { span } from "../../kit/when.ts";
import { acknowledge } from "../../watch/ack.ts";
import { type AckRecord, watchFolder } from "../../watch/store.ts";
import { MANIFEST_FLAG } from "./flags.ts";

export const command = defineCommand({
  summary: "take an outage or alarms in hand: nobody is told directly meanwhile",
  description: `Until the host answers again and is well, or for as long as --for says; then it is escalated again. The channels are told who has it, and
it stays on record in the data folder, watch/acknowledgements.jsonl. Run it on the machine, and as the user, of the watcher.
Alarms that come later are not in it. Exit 1 when nothing is down and no alarm stands.`,
  examples: [
    ["alai watch ack", "all that is down or has alarms"],
    ["alai watch ack anvil --for 2h", "one host, for two hours"],
  ],
  args: [{ name: "host", summary: "one host; all that are down or have alarms when not given", optional: true }],
  flags: {
    for: { value: "TIME", summary: "for how long, 30m or 2h; until it is over when not given", parse: duration },
    by: { value: "NAME", summary: "who has it in hand, instead of whoever acts here", parse: name("name") },
    ...MANIFEST_FLAG,
  },
  fields: {
    host: "the host",
    incident: "the outage, or the alarms, that are acknowledged",
    by: "who has it in hand",
    until: "when it runs out, or null: when it is over",
  },
  async run(context, { args: [host], flags }) {
    const manifest = readManifest(context, flags.manifest);
    const words = { host: host ?? null, for: flags.for ?? null, by: flags.by ?? context.identity().actor };
    const acks = acknowledge(watchFolder(context), manifest, words, context.clock());
    const until = (ack: AckRecord) => (ack.for === null ? null : toIso(ack.at + ack.for));
    await printResults<AckRecord>(
      context,
      acks,
      {
        columns: [
          { header: "HOST", value: (ack) => ack.host },
          { header: "INCIDENT", value: (ack) => ack.incident },
          { header: "BY", value: (ack) => ack.by },
          { header: "UNTIL", value: (ack) => until(ack) ?? "" },
        ],
        json: (ack) => ({ host: ack.host, incident: ack.incident, by: ack.by, until: until(ack) }),
        sentence: (ack) =>
          `${ack.host}: nobody is told directly ${ack.for === null ? "until it is over" : `for ${span(ack.for)}`}`,
      },
      host !== undefined,
    );
  },
});
