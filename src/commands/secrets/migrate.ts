import { resolve } from "node:path";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { requireFree } from "../../secrets/migrate/backup.ts";
import { backupPassphrase, type GivenKeys, keyFor, parseKeys, requireKeys } from "../../secrets/migrate/keys.ts";
import { migrate } from "../../secrets/migrate/migrate.ts";
import { probe } from "../../secrets/migrate/probe.ts";
import { rollBack } from "../../secrets/migrate/rollback.ts";
import {
  exitOfMigration,
  exitOfRollback,
  printRollback,
  printSecretsMigration,
  SECRETS_MIGRATION_FIELDS,
} from "../../secrets/migrate/view.ts";
import { serverAddress } from "../../secrets/server-address.ts";

const FOR_EXAMPLE = "Type for example: alai secrets migrate --from https://vault.example.com --to eu";

export const command = defineCommand({
  summary: "move a vault from one Bitwarden server to another",
  description: `Everything that an export carries goes: items of every kind, folders, fields, TOTP, passkeys, histories, and attachments.
Only what the destination lacks is brought, so run twice it adds nothing, and killed and run again it goes on. At the end every
item and file of both is compared, from a fresh sync: exit 0 only when all are equal; what is not is named. Nothing is in clear
on a disk at any time, and the source is only read. What cannot move is listed: trash, Sends, items of organizations, dates.
It asks for an API key or e-mail address, and for the master password, of both; or reads them from standard input.
Lines (not on a terminal): type or folder, name, items in the source, in the destination, the same.`,
  examples: [
    ["alai secrets migrate --from https://vault.example.com --to eu --dry-run", "what would be brought"],
    [
      "alai secrets migrate --from https://vault.example.com --to eu --backup vault.json",
      "keep an encrypted export, bring everything, compare every item",
    ],
    ["alai secrets migrate --from https://vault.example.com --to eu --rollback", "take back what was brought"],
    ["alai secrets migrate --from https://vault.example.com --to us --from-stdin < keys.json", "nobody is asked"],
  ],
  args: [],
  flags: {
    from: { value: "URL", summary: "the server to leave" },
    to: { value: "URL", summary: "us, eu, or the address of another server" },
    dryRun: { summary: "sign in and compare, and change nothing" },
    rollback: { summary: "put into the trash what was brought and not changed since" },
    backup: { value: "FILE", summary: "keep an export of the source, encrypted under a passphrase" },
    fromStdin: { summary: "read who signs in from standard input, as JSON" },
  },
  fields: SECRETS_MIGRATION_FIELDS,
  prompts: { "who signs in, and the master passwords": "--from-stdin" },
  async run(context, { flags }) {
    requireSockets(context);
    const [from, to] = [serverOf("--from", flags.from), serverOf("--to", flags.to)];
    if (from === to) throw usage(`--from and --to are both ${from}.`, FOR_EXAMPLE);
    const all = flags.fromStdin ? parseKeys(await context.io.readStdin()) : null;
    const dryRun = flags.dryRun === true;
    if (flags.rollback) {
      if (flags.backup !== undefined) throw usage("--backup and --rollback do not go together.", "Leave one out.");
      requireKeys(context, { destination: to }, all);
      await probe(context, "destination", to);
      const done = await rollBack(context, { from, to, dryRun, key: await keyFor(context, "destination", to, all) });
      printRollback(context, done);
      return exitOfRollback(done);
    }
    const done = await migrate(context, await wishOf(context, from, to, all, dryRun, flags.backup));
    await printSecretsMigration(context, done);
    return exitOfMigration(done);
  },
});

/** A child gets no socket of its parent's there, and a file would be in clear on a disk. */
function requireSockets({ platform }: Context): void {
  if (platform !== "win32") return;
  throw new Exit(
    EXIT.unavailable,
    "unsupported",
    "A vault cannot be migrated from Windows itself.",
    "Type the same in WSL, or on a machine with macOS or Linux.",
  );
}

function serverOf(flag: string, value: string | undefined): string {
  if (value === undefined) throw usage(`\`alai secrets migrate\` needs ${flag}.`, FOR_EXAMPLE);
  const server = serverAddress(value);
  if (server !== null) return server;
  throw usage(`${flag} ${value} may be either of Bitwarden's two clouds.`, `Type ${flag} us or ${flag} eu.`);
}

/** Both servers are asked what they are before a person types anything. */
async function wishOf(
  context: Context,
  from: string,
  to: string,
  all: GivenKeys | null,
  dryRun: boolean,
  backup: string | undefined,
) {
  const file = backup === undefined ? null : resolve(context.cwd, backup);
  if (file) requireFree(file);
  requireKeys(context, { source: from, destination: to }, all);
  const [source, destination] = await Promise.all([probe(context, "source", from), probe(context, "destination", to)]);
  const keys = {
    source: await keyFor(context, "source", from, all),
    destination: await keyFor(context, "destination", to, all),
  };
  return {
    ...{ from, to, dryRun },
    source: { kind: source, key: keys.source },
    destination: { kind: destination, key: keys.destination },
    backup: file === null ? null : { file, passphrase: await backupPassphrase(context, all) },
  };
}
