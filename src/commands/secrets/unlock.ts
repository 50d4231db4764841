import { toIso } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { printJson, toLine } from "../../kit/output.ts";
import { oneLine } from "../../kit/text.ts";
import { relative } from "../../kit/when.ts";
import type { Session } from "../../secrets/session.ts";
import { PROFILE_FLAG } from "../auth/flags.ts";

export const command = defineCommand({
  summary: "unlock the vault, signing in to Bitwarden where needed",
  description: `Signs in once for each server, with an API key or with e-mail and password; after that only the master password is asked.
The API key may be in BW_CLIENTID and BW_CLIENTSECRET. Without a terminal the first line of standard input is the master password.
It stays unlocked until it was not used for as long as the setting secrets.idle says (8h).
The master password is never stored; what bw needs to stay signed in is sealed with a key in the system's keychain.
Exit 4: refused. Exit 69: bw or the server cannot be used.
Line (not on a terminal): server, e-mail address, when it locks.`,
  examples: [
    ["alai secrets unlock", "every morning"],
    ["alai secrets unlock --server eu --api-key", "the first time, where a second factor is asked for"],
    ["alai secrets unlock --server vault.example.com --email ann@example.com", "a server of your own"],
    ["alai secrets unlock --from-stdin < secrets.json", "without a person: {clientId, clientSecret, password}"],
  ],
  args: [],
  flags: {
    server: { value: "SERVER", summary: "us, eu, or the https address of your own" },
    email: { value: "ADDRESS", summary: "sign in with this address and the master password" },
    apiKey: { summary: "sign in with an API key, also where somebody is signed in" },
    fromStdin: { summary: "read JSON from standard input: clientId, clientSecret or email, and password" },
    insecureStorage: { summary: "keep the key of the sealed files in a file (mode 600) instead of the keychain" },
    ...PROFILE_FLAG,
  },
  fields: {
    server: "the server's address",
    email: "whose vault it is",
    locks: "when it locks, if it is not used before",
    last_sync: "when the vault was last fetched",
  },
  async run(context, { flags }) {
    if (flags.apiKey && flags.email !== undefined)
      throw usage("There are two ways to sign in.", "Give --api-key or --email.");
    const [{ chosenProfile }, { unlockVault }, { locksAt }] = await Promise.all([
      import("../../auth/profiles.ts"),
      import("../../secrets/sign-in.ts"),
      import("../../secrets/session.ts"),
    ]);
    const session = await unlockVault(context, chosenProfile(context, flags.profile).name, {
      server: flags.server,
      email: flags.email,
      apiKey: flags.apiKey ?? false,
      given: flags.fromStdin ? await readGiven(context) : null,
      insecure: flags.insecureStorage ?? false,
    });
    print(context, session, locksAt(context, session) ?? context.clock());
  },
});

async function readGiven(context: Context) {
  const { parseGiven } = await import("../../secrets/credentials.ts");
  return parseGiven(await context.io.readStdin());
}

function print(context: Context, { server, email, lastSync }: Session, locks: number): void {
  const { io, flags } = context;
  const when = relative(locks, context.clock());
  if (flags.json) printJson(context, { server, email, locks: toIso(locks), last_sync: lastSync });
  else if (flags.quiet) return;
  else if (io.stdoutIsTty) io.out(`Unlocked: ${oneLine(email)} at ${server}; locks ${when} if it is not used.\n`);
  else io.out(`${toLine([server, email, toIso(locks)])}\n`);
}
