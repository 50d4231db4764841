import { defineCommand } from "../../kit/command.ts";
import { allEffective } from "../../kit/effective.ts";
import { printRows } from "../../kit/output.ts";
import { SETTING_FIELDS, SETTING_VIEW } from "./view.ts";

export const command = defineCommand({
  summary: "all settings and where each comes from",
  description: "Lines (not on a terminal): key, value, source.",
  examples: [["alai config list", "everything that can be set"]],
  args: [],
  flags: {},
  fields: SETTING_FIELDS,
  run: async (context) => printRows(context, allEffective(context), SETTING_VIEW),
});
