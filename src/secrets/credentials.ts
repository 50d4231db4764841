import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { askLine } from "../kit/prompt.ts";

/** What `--from-stdin` may hold: all that is needed to sign in without a person. */
export interface Given {
  readonly email?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly password?: string | undefined;
}

/** Who signs in to Bitwarden, besides the master password. */
export type Account =
  | { readonly by: "password"; readonly email: string }
  | { readonly by: "api key"; readonly clientId: string; readonly clientSecret: string };

const KEYS: readonly string[] = ["email", "clientId", "clientSecret", "password"];

/** Reads the JSON of `--from-stdin`. Throws a usage error that shows nothing of it. */
export function parseGiven(text: string): Given {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw notGiven("is not JSON");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw notGiven("is not a JSON object");
  for (const [key, value] of Object.entries(json)) {
    if (!KEYS.includes(key)) throw notGiven(`has a key that is none of ${KEYS.join(", ")}`);
    if (typeof value !== "string" || value === "") throw notGiven(`has a ${key} that is not a text`);
  }
  return json as Given;
}

function notGiven(how: string) {
  return usage(
    `Standard input ${how}.`,
    'Give for example {"clientId":"user.…","clientSecret":"…","password":"…"}, or email instead of the first two.',
  );
}

/** Who signs in: as given, as flags say, by an API key in the environment, or as a person answers. */
export async function accountOf(
  context: Context,
  words: { readonly email: string | undefined; readonly apiKey: boolean },
  given: Given,
): Promise<Account> {
  const { env } = context;
  const clientId = given.clientId ?? env.BW_CLIENTID;
  const clientSecret = given.clientSecret ?? env.BW_CLIENTSECRET;
  const email = given.email ?? (given.clientId === undefined ? words.email : undefined);
  if (email !== undefined && !words.apiKey) return { by: "password", email: checkedEmail(email) };
  if (given.clientId && !clientSecret) throw missing("clientSecret");
  if (given.clientSecret && !clientId) throw missing("clientId");
  if (clientId && clientSecret) return { by: "api key", clientId: checkedId(clientId), clientSecret };
  if (words.apiKey) return askApiKey(context, clientId);
  requirePerson(context, given);
  const answer = (await askLine(context, "E-mail address (empty: sign in with an API key):")).trim();
  return answer === "" ? askApiKey(context, clientId) : { by: "password", email: checkedEmail(answer) };
}

async function askApiKey(context: Context, known: string | undefined): Promise<Account> {
  requirePerson(context);
  const clientId = known || (await askLine(context, "client_id of the API key:")).trim();
  const clientSecret = (await askLine(context, "client_secret:", true)).trim();
  return { by: "api key", clientId: checkedId(clientId), clientSecret };
}

/** @param given what standard input held; empty where it was not asked. */
function requirePerson(context: Context, given: Given = {}): void {
  if (context.canPrompt()) return;
  throw usage(
    "Nothing says who signs in to Bitwarden.",
    Object.keys(given).length > 0
      ? "Add clientId and clientSecret, or email, to the JSON on standard input."
      : "Type alai secrets unlock --email you@example.com, or set BW_CLIENTID and BW_CLIENTSECRET.",
  );
}

function missing(key: "clientId" | "clientSecret") {
  return usage(`${key} is missing.`, `Add ${key} to the JSON on standard input: an API key is both parts.`);
}

function checkedId(clientId: string): string {
  if (/^user\.[0-9a-f-]{36}$/i.test(clientId)) return clientId;
  throw usage(
    "That is not the client_id of a person's API key.",
    "It is user. and a UUID: see the web vault, Settings, Security, Keys. A company's key begins otherwise and is of no use here.",
  );
}

/** It is an argument of bw: it must not be taken for one of its flags. */
function checkedEmail(email: string): string {
  if (/^[^\s@-][^\s@]*@[^\s@]+$/.test(email)) return email.toLowerCase();
  throw usage("That is not an e-mail address.", "Type alai secrets unlock --email you@example.com");
}

/** The master password: given, asked for, or the first line of standard input. */
export async function masterPassword(context: Context, given: Given, fromStdin: boolean): Promise<string> {
  const password =
    given.password ?? (fromStdin ? "" : await askLine(context, "Master password:", true)).replace(/\r$/, "");
  if (password !== "") return password;
  throw usage(
    "The master password is missing.",
    fromStdin ? "Add password to the JSON on standard input." : "Type it when asked, or give it on standard input.",
  );
}
