import { defineCommand } from "../../kit/command.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson, toLine } from "../../kit/output.ts";
import { DATABASE_URL_FLAG } from "../../mc/server-store.ts";
import { loadAdmin, openSecurity } from "../../security/open.ts";

export const command = defineCommand({
  summary: "prove that no entry of the audit was changed",
  description: `Walks the chain of hashes from its first entry and prints the number of entries and the hash of the last one.
Exit 1 names the first entry that does not hold. Keep the hash elsewhere and give it next time with --head: only so does a walk
show that the newest entries were cut off, or that the whole chain was written anew.`,
  examples: [
    ["alai audit verify", "prints the number of entries and the last hash"],
    [
      "alai audit verify --head 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "the same, and that the chain grew from where it was",
    ],
  ],
  args: [],
  flags: {
    head: { value: "HASH", summary: "a hash that an earlier walk printed", parse: hash },
    ...DATABASE_URL_FLAG,
  },
  fields: {
    ok: "true when all holds",
    count: "entries that hold",
    head: "the hash of the last one of those",
    broken: "the first number at which something is wrong, or null",
    reason: "what is wrong there, or null",
  },
  async run(context, { flags }) {
    const store = await openSecurity(context, flags.databaseUrl, "fail");
    const { verifyAudit } = await loadAdmin();
    const verdict = await verifyAudit(store, flags.head);
    const ok = verdict.broken === null;
    if (context.flags.json) printJson(context, { ok, ...verdict });
    else context.io.out(`${toLine([String(verdict.count), verdict.head])}\n`);
    if (ok) return EXIT.ok;
    throw new Exit(
      EXIT.refused,
      "audit_broken",
      `The audit does not hold at entry ${verdict.broken}: ${verdict.reason}.`,
    );
  },
});

function hash(raw: string): string {
  if (/^[0-9a-f]{64}$/i.test(raw)) return raw.toLowerCase();
  throw usage("That is no hash of the audit.", "Type the 64 hexadecimal digits that `alai audit verify` printed.");
}
