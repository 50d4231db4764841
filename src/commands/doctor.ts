import { examine } from "../doctor/examine.ts";
import type { Check } from "../doctor/finding.ts";
import { checksPage } from "../doctor/page.ts";
import { defineCommand } from "../kit/command.ts";
import { EXIT } from "../kit/exit.ts";
import { printRows } from "../kit/output.ts";

export const command = defineCommand({
  summary: "check this machine, changing nothing",
  description:
    "Looks at runtime, settings, identity, ledger, clock, and with a server who one is signed in as, and says what to do. Exit 1 when a check failed.\nLines (not on a terminal): ok, warn or fail, check, finding, what to do.",
  examples: [["alai doctor", "is all well here?"]],
  args: [],
  flags: {},
  fields: {
    state: "ok, warn or fail",
    check: "what was looked at",
    finding: "what was found",
    remedy: "what to do, or null",
  },
  async run(context) {
    const checks = await examine(context);
    await printRows<Check>(context, checks, {
      columns: [
        { header: "", value: (row) => row.state },
        { header: "CHECK", value: (row) => row.check },
        { header: "FINDING", value: (row) => row.finding },
        { header: "WHAT TO DO", value: (row) => row.remedy ?? "" },
      ],
      json: (row) => ({ ...row }),
      page: checksPage,
    });
    return checks.some((check) => check.state === "fail") ? EXIT.refused : EXIT.ok;
  },
});
