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
  summary: "take an outage in hand: nobody is told directly meanwhile",
  description: `Until the host answers again, or for as long as --for says; then it is escalated again. The channels are told who has it, and
it stays on record in the data folder, watch/acknowledgements.jsonl. Run it on the machine, and as the user, of the watcher.
Exit 1 when nothing is down.`,
  examples: [
    ["alai watch ack", "all that is down"],
    ["alai watch ack anvil --for 2h", "one host, for two hours"],
  ],
  args: [{ name: "host", summary: "one host; all that are down when not given", optional: true }],
  flags: {
    for: { value: "TIME", summary: "for how long, 30m or 2h; until it answers again when not given", parse: duration },
    by: { value: "NAME", summary: "who has it in hand, instead of whoever acts here", parse: name("name") },
    ...MANIFEST_FLAG,
  },
  fields: {
    host: "the host",
    incident: "the outage that is acknowledged",
    by: "who has it in hand",
    until: "when it runs out, or null: when the host answers again",
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
          `${ack.host}: nobody is told directly ${ack.for === null ? "until it answers again" : `for ${span(ack.for)}`}`,
      },
      host !== undefined,
    );
  },
});
