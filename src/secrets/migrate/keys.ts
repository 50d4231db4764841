import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { askLine } from "../../kit/prompt.ts";
import { accountOf, type Given, masterPassword, parseGiven } from "../credentials.ts";
import type { Role } from "./side.ts";
import type { Key } from "./sign-in.ts";

/** What `--from-stdin` holds. */
export interface GivenKeys {
  readonly source: Given | null;
  readonly destination: Given | null;
  readonly backupPassphrase: string | null;
}

const EXAMPLE =
  'Give {"source":{…},"destination":{…}}, each with password and either clientId and clientSecret or email; and backupPassphrase for --backup.';
const KEYS: readonly string[] = ["source", "destination", "backupPassphrase"];

/** Reads the JSON of `--from-stdin`. Throws a usage error that shows nothing of it. */
export function parseKeys(text: string): GivenKeys {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw usage("Standard input is not JSON.", EXAMPLE);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw usage("Standard input is not a JSON object.", EXAMPLE);
  const { source, destination, backupPassphrase, ...others } = json as Record<string, unknown>;
  if (Object.keys(others).length > 0)
    throw usage(`Standard input has a key that is none of ${KEYS.join(", ")}.`, EXAMPLE);
  if (backupPassphrase !== undefined && typeof backupPassphrase !== "string")
    throw usage("backupPassphrase on standard input is not a text.", EXAMPLE);
  return { source: given(source), destination: given(destination), backupPassphrase: backupPassphrase ?? null };
}

function given(part: unknown): Given | null {
  return part === undefined ? null : parseGiven(JSON.stringify(part));
}

/** Throws a usage error when it is not said who signs in, and nobody can be asked: before any server is. */
export function requireKeys(
  context: Context,
  sides: Readonly<Partial<Record<Role, string>>>,
  all: GivenKeys | null,
): void {
  for (const [role, server] of Object.entries(sides) as [Role, string][]) {
    const said = all?.[role];
    if (all ? said?.password && (said.email || (said.clientId && said.clientSecret)) : context.canPrompt()) continue;
    throw usage(
      `${all ? "Standard input does not say" : "Nothing says"} who signs in to the ${role}, ${server}.`,
      all ? EXAMPLE : `Nobody can be asked here: add --from-stdin. ${EXAMPLE}`,
    );
  }
}

/** Who signs in to one side: as standard input says, or as a person answers. */
export async function keyFor(context: Context, role: Role, server: string, all: GivenKeys | null): Promise<Key> {
  const said = all?.[role] ?? null;
  if (!all) context.io.err(`The ${role}, ${server}:\n`);
  // An API key needs no second factor.
  const { email, ...others } = said ?? {};
  const chosen = others.clientId ? others : { ...others, email };
  const account = await accountOf(withoutKeys(context), { email: undefined, apiKey: false }, chosen);
  return { account, password: await masterPassword(context, chosen, all !== null) };
}

/** An API key in the environment is one side's, and nobody knows which. */
function withoutKeys(context: Context): Context {
  const { BW_CLIENTID: _, BW_CLIENTSECRET: __, ...env } = context.env;
  return Object.create(context, { env: { value: env } }) as Context;
}

const SHORTEST = 12;

/** The passphrase of the backup: from the environment, standard input, or a person who types it twice. */
export async function backupPassphrase(context: Context, all: GivenKeys | null): Promise<string> {
  const known = all?.backupPassphrase ?? context.env.ALAI_BACKUP_PASSPHRASE;
  const passphrase = known || (await askTwice(context, all));
  if (passphrase.length >= SHORTEST) return passphrase;
  throw usage(`The passphrase of the backup has fewer than ${SHORTEST} characters.`, "Several words are easy to keep.");
}

async function askTwice(context: Context, all: GivenKeys | null): Promise<string> {
  if (all || !context.canPrompt())
    throw usage("--backup needs a passphrase.", "Set ALAI_BACKUP_PASSPHRASE, or add backupPassphrase to --from-stdin.");
  const first = await askLine(context, "A passphrase for the backup:", true);
  if ((await askLine(context, "The same again:", true)) === first) return first;
  throw usage("The two are not the same.", "Type the command again.");
}
