import { BadInput, StoreError } from "@alai/core";
import { commandFor } from "../../kit/command-for.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { NoAnswer } from "../fetch.ts";
import { isTrouble, troubled, unreachable } from "../metadata.ts";
import type { Profile } from "../profile.ts";

interface OAuthError {
  readonly error?: unknown;
  readonly error_description?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly message?: string;
}

/** What an issuer's refusal is called: its code, which openid-client hands on. Null when it is none. */
export function oauthCode(error: unknown): string | null {
  const { error: code } = (error ?? {}) as OAuthError;
  return typeof code === "string" ? oneLine(truncate(code, 60)) : null;
}

/** Why no answer came; undefined when one did. */
export function noAnswerIn(error: unknown): NoAnswer | undefined {
  return [error, (error as OAuthError | undefined)?.cause].find((one) => one instanceof NoAnswer);
}

function isPrompt(error: unknown): boolean {
  return error instanceof Error && error.name.endsWith("PromptError");
}

/** What an issuer says when it is not the person's doing (RFC 6749, 4.1.2.1). */
const TROUBLE: readonly string[] = ["server_error", "temporarily_unavailable"];

/**
 * A failed sign-in in words. What an issuer says of it may come from anyone who can make a link: one line, no control characters,
 * not long. @param isMachine it signs in with a secret of its own.
 */
export function signInFailure(error: unknown, context: Context, profile: Profile, isMachine: boolean): unknown {
  // Ours, or a question that somebody broke off: said already.
  if (error instanceof Exit || error instanceof BadInput || error instanceof StoreError || isPrompt(error))
    return error;
  const { cause, error_description: said, message } = (error ?? {}) as OAuthError;
  const url = new URL(profile.issuer.discoveryUrl);
  const noAnswer = noAnswerIn(error);
  if (noAnswer) return unreachable(url, noAnswer);
  if (cause instanceof Response && isTrouble(cause.status)) return troubled(url, cause.status);
  const code = oauthCode(error);
  if (code && TROUBLE.includes(code)) return troubled(url, code);
  const words = wordsFor(context, profile.name);
  if (code)
    return new Exit(EXIT.signIn, code, `The issuer refused: ${worded(code, said)}.`, hintFor(code, words, isMachine));
  if (isWithoutAccessToken(error)) return withoutAccessToken(url, words);
  return new Exit(
    EXIT.signIn,
    "sign_in_failed",
    `The sign-in failed: ${truncate(oneLine(message ?? String(error)), 160)}.`,
    `Try ${words.login} again; ${words.status} tells what is set up.`,
  );
}

/** What to type for the profile that was meant. */
interface Words {
  readonly login: string;
  readonly status: string;
}

function wordsFor(context: Context, profile: string): Words {
  const [login = "", status = ""] = ["alai login", "alai auth status"].map((one) => commandFor(context, one, profile));
  return { login, status };
}

function withoutAccessToken({ host }: URL, { login }: Words): Exit {
  return new Exit(
    EXIT.signIn,
    "no_access_token",
    `The issuer ${host} gave no access token: add an API scope.`,
    `Type ${login} --scope with the scope of your API, for example https://TENANT.onmicrosoft.com/api/tasks.read.`,
  );
}

function worded(code: string, said: unknown): string {
  const text = typeof said === "string" ? truncate(oneLine(said), 160) : "";
  return text === "" ? code : `${text.replace(/\.$/, "")} (${code})`;
}

/** What to do about a refusal (RFC 6749, 4.1.2.1 and 5.2; RFC 8628, 3.5). */
function hintFor(code: string, { login, status }: Words, isMachine: boolean): string {
  switch (code) {
    case "access_denied":
      return "Somebody pressed Cancel, or your company does not let you in; ask whoever runs the issuer.";
    case "invalid_client":
      return isMachine
        ? `The client secret is wrong or has run out, or is another client's (${status} shows the client id): type ${login} --client-secret < secret.txt, with the right one.`
        : `Check the client id, which ${status} shows: it must be a public (native) client, without a secret; then type ${login} --client-id ID.`;
    case "unauthorized_client":
      return "Register the client as a public (native) one, with this way to sign in.";
    case "invalid_scope":
      return `Check the scopes: ${login} --scope.`;
    case "expired_token":
      return `The code was not typed in in time. Type ${login} again.`;
    case "redirect_uri_mismatch":
      return `Register the redirect address: ${status} shows it.`;
    default:
      return `Try ${login} again.`;
  }
}

/** oauth4webapi only says that the answer is invalid (next-auth#7810 and others met it too). */
function isWithoutAccessToken(error: unknown): boolean {
  for (let at = error as OAuthError | undefined, deep = 0; at && deep < 4; at = at.cause as OAuthError, deep++) {
    const body = (at as { body?: { access_token?: unknown } }).body;
    if (/"?access_token"? property/i.test(at.message ?? "")) return true;
    if (body && typeof body === "object" && body.access_token === undefined && "token_type" in body) return true;
  }
  return false;
}
