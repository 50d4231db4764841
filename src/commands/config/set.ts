import { resolve } from "node:path";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { writeSetting } from "../../kit/write-settings.ts";

export const command = defineCommand({
  summary: "change a setting",
  description: "Without a value, or with an empty one, the setting goes back to its default.",
  examples: [
    ["alai config set mc.ttl 30m", "leases of half an hour"],
    ["alai config set mc.requireEvidence true", "no `done` without evidence"],
    ['alai config set mc.db ""', "back to the default ledger"],
  ],
  args: [
    { name: "key", summary: "a setting's name" },
    { name: "value", summary: "its value", optional: true },
  ],
  flags: { unset: { summary: "go back to the default" } },
  async run(context, { args: [key, value], flags }) {
    if (value === undefined && !flags.unset)
      throw usage("A value is missing.", `Type alai config set ${key} VALUE, or --unset.`);
    const raw = flags.unset || value === "" || value === undefined ? null : value;
    // A path means the same from every folder.
    await writeSetting(context, key, raw !== null && key === "mc.db" ? resolve(context.cwd, raw) : raw);
  },
});
