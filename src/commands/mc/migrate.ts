import { resolve } from "node:path";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { migrate } from "../../mc/transfer/migrate.ts";
import { exitOf, printMigration } from "../../mc/views/transfer.ts";
import { MIGRATION_FIELDS } from "../../mc/views/transfer-fields.ts";

export const command = defineCommand({
  summary: "copy a whole ledger to a server, a database or a file",
  description: `Everything goes: tasks, leases, dependencies, evidence, the journal, and columns of another program, with the same numbers.
The source is only read. Killed and run again it goes on where it stopped; run twice it adds nothing; what changed in the
source since is brought along, and what the target changed itself is left alone and reported. Every row of both sides is
compared at the end: exit 0 only when all are equal. A server needs a token of scope admin.
Lines (not on a terminal): table, rows in the source, in the target, same, missing, different, only in the target.`,
  examples: [
    ["alai mc migrate --from mission-control.db --to https://mc.example.com --dry-run", "what would be copied"],
    ["alai mc migrate --from mission-control.db --to https://mc.example.com", "do it, and compare every row"],
    [
      "alai mc migrate --from mission-control.db --to postgres://alai@db.example.com/alai",
      "straight into its database",
    ],
    ["alai mc migrate --from mirror.db --to ledger.db", "a mirror becomes a ledger of its own"],
  ],
  args: [],
  flags: {
    from: { value: "FILE", summary: "the ledger's SQLite file" },
    to: { value: "URL", summary: "https://… a server, postgres://… a database, or a file" },
    dryRun: { summary: "read and compare, and change nothing" },
  },
  fields: MIGRATION_FIELDS,
  async run(context, { flags }) {
    const { from, to } = flags;
    if (from === undefined || to === undefined)
      throw usage(
        `\`alai mc migrate\` needs --${from === undefined ? "from" : "to"}.`,
        "Type for example: alai mc migrate --from mission-control.db --to https://mc.example.com",
      );
    const done = await migrate(context, resolve(context.cwd, from), to, flags.dryRun === true);
    await printMigration(context, done, flags.dryRun === true);
    return exitOf(done, flags.dryRun === true);
  },
});
