import { resolve } from "node:path";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { effective } from "../../kit/effective.ts";
import { usage } from "../../kit/errors.ts";
import { printJson } from "../../kit/output.ts";
import { findSetting } from "../../kit/settings.ts";
import { writeSetting } from "../../kit/write-settings.ts";
import { SETTING_FIELDS } from "./view.ts";

export const command = defineCommand({
  summary: "change a setting",
  description:
    "With an empty value or --unset the setting goes back to its default. Prints nothing but, with --json, the setting.",
  examples: [
    ["alai config set mc.ttl 30m", "leases of half an hour"],
    ["alai config set mc.requireEvidence true", "no `done` without evidence"],
    ['alai config set mc.db ""', "back to the default ledger"],
  ],
  args: [
    { name: "key", summary: "a setting's name" },
    { name: "value", summary: "its value", optional: true },
  ],
  fields: SETTING_FIELDS,
  flags: { unset: { summary: "go back to the default" } },
  async run(context, { args: [key, value], flags }) {
    if (value === undefined && !flags.unset)
      throw usage("A value is missing.", `Type alai config set ${key} VALUE, or --unset.`);
    const raw = flags.unset || value === "" || value === undefined ? null : value;
    if (key === "profile" && raw !== null) await requireProfile(context, raw);
    // A path means the same from every folder.
    await writeSetting(context, key, raw !== null && key === "mc.db" ? resolve(context.cwd, raw) : raw);
    if (context.flags.json) printJson(context, { ...effective(context, findSetting(key)) });
  },
});

/** A name that is mistyped would sign everybody out. */
async function requireProfile(context: Context, name: string): Promise<void> {
  const { requireKnownProfile } = await import("../../auth/profiles.ts");
  requireKnownProfile(context, name);
}
