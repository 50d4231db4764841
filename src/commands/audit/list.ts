import { defineCommand } from "../../kit/command.ts";
import { printRows } from "../../kit/output.ts";
import { wholeNumber } from "../../kit/values.ts";
import { DATABASE_URL_FLAG } from "../../mc/server-store.ts";
import { openSecurity } from "../../security/open.ts";
import { AUDIT_FIELDS, AUDIT_VIEW } from "../../security/views.ts";

const DEFAULT_LIMIT = 50;
const PAGE = 500;

export const command = defineCommand({
  summary: "refusals, admins' doings, starts and stops",
  description: `The newest entries, the oldest of them first. Changes of tasks are in the journal: \`alai mc events\`.
Lines (not on a terminal): seq, time, outcome, action, subject, network, target.`,
  examples: [
    ["alai audit list", `the newest ${DEFAULT_LIMIT}`],
    ["alai audit list --after 1200 --limit 0 --json", "everything since an entry"],
  ],
  args: [],
  flags: {
    limit: { value: "N", summary: `at most so many (${DEFAULT_LIMIT}); 0 is all`, parse: wholeNumber("limit") },
    after: { value: "SEQ", summary: "only entries behind this one, from there on", parse: wholeNumber("number") },
    ...DATABASE_URL_FLAG,
  },
  fields: AUDIT_FIELDS,
  async run(context, { flags }) {
    const store = await openSecurity(context, flags.databaseUrl, "fail");
    const limit = flags.limit === 0 ? Number.POSITIVE_INFINITY : (flags.limit ?? DEFAULT_LIMIT);
    const end = (await store.head())?.seq ?? 0;
    let after = flags.after ?? Math.max(0, end - limit);
    const rows = [];
    while (rows.length < limit) {
      const page = await store.entries(after, Math.min(PAGE, limit - rows.length));
      if (page.length === 0) break;
      rows.push(...page);
      after = page.at(-1)?.seq ?? after;
    }
    await printRows(context, rows, AUDIT_VIEW);
  },
});
