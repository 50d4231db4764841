import type { Context } from "../kit/context.ts";
import { usage } from "../kit/errors.ts";
import { askLine } from "../kit/prompt.ts";
import { clientIdWord, issuerAddress, scopeWords } from "./issuer-words.ts";
import type { Profile } from "./profile.ts";
import type { IssuerWords } from "./setup.ts";

/** What must be known of an issuer before anyone can sign in there. */
export interface FirstWords {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
}

/** What standard input holds where nobody signs in: it is named in what is said. */
export type Given = "token" | "client secret" | null;

const ASKED = {
  issuer: { question: "The issuer's address", flag: "--issuer URL", read: issuerAddress },
  clientId: { question: "The client id of alai there", flag: "--client-id ID", read: clientIdWord },
  scopes: { question: "The scope of your API", flag: "--scope SCOPE", read: scopeWords },
} as const;

/**
 * The three things by flags, else by the profile that is there, else by questions, which are asked again until the answer can be
 * one. All flags are checked before the first question. Throws a usage error, off a terminal one that names all that is missing.
 */
export async function firstWords(
  context: Context,
  words: IssuerWords,
  before: Profile | null,
  given: Given,
): Promise<FirstWords> {
  const known = {
    issuer: words.issuer === undefined ? before?.issuer.discoveryUrl : issuerAddress(words.issuer),
    clientId: words.clientId === undefined ? before?.issuer.clientId : clientIdWord(words.clientId),
    scopes: words.scopes === undefined ? before?.issuer.scopes : words.scopes.flatMap(scopeWords),
  };
  const missing = Object.entries(ASKED).filter(([name]) => known[name as keyof typeof ASKED] === undefined);
  if (missing.length > 0 && !context.canPrompt())
    throw notTold(
      missing.map(([, asked]) => asked),
      given,
    );
  return {
    issuer: known.issuer ?? (await ask(context, ASKED.issuer)),
    clientId: known.clientId ?? (await ask(context, ASKED.clientId)),
    scopes: known.scopes ?? (await ask(context, ASKED.scopes)),
  };
}

interface Asked<T> {
  readonly question: string;
  readonly flag: string;
  readonly read: (raw: string) => T;
}

async function ask<T>(context: Context, { question, read }: Asked<T>): Promise<T> {
  return read(await askLine(context, question, false, read));
}

function notTold(missing: readonly Asked<unknown>[], given: Given): Error {
  const flags = `${missing.map(({ flag }) => flag).join(" ")}, or --profile-url URL`;
  if (given !== null)
    return usage(
      `A ${given} is kept with the profile of its issuer, and this machine has no such profile yet.`,
      `Add ${flags}; the next time none of them is needed.`,
    );
  const [first = "", ...more] = missing.map(({ question }) => question);
  const last = more.map(lower).pop();
  const all = last === undefined ? first : `${[first, ...more.slice(0, -1).map(lower)].join(", ")} and ${last}`;
  return usage(`${all} ${last === undefined ? "is" : "are"} missing.`, `Nobody can be asked here; add ${flags}.`);
}

function lower(sentence: string): string {
  return `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}
