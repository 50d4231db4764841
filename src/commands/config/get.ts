import { defineCommand } from "../../kit/command.ts";
import { effective } from "../../kit/effective.ts";
import { printJson } from "../../kit/output.ts";
import { findSetting } from "../../kit/settings.ts";
import { oneLine } from "../../kit/text.ts";
import { SETTING_FIELDS } from "./view.ts";

export const command = defineCommand({
  summary: "one setting and where it comes from",
  description: "Prints the value; where it comes from is said on stderr of a terminal, and in --json.",
  examples: [["alai config get mc.db", "which ledger file"]],
  args: [{ name: "key", summary: "a setting's name" }],
  flags: {},
  fields: SETTING_FIELDS,
  async run(context, { args: [key] }) {
    const found = effective(context, findSetting(key));
    if (context.flags.json) return printJson(context, { ...found });
    context.io.out(`${oneLine(String(found.value ?? ""))}\n`);
    if (context.io.stderrIsTty && !context.flags.quiet) context.io.err(`from ${oneLine(found.source)}\n`);
  },
});
