import { StoreError } from "@alai/core";
import { errorOf, isProblem, type Problem } from "@alai/core/wire/problem";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { isPassing } from "../../kit/http/backoff.ts";
import type { Answer } from "../../kit/http.ts";
import { oneLine, truncate } from "../../kit/text.ts";

/** What the server's answers mean: the same errors as the local ledger's, so that exit codes and words are the same. */

/** Where the server is, and what named it. */
export interface Site {
  /** Without a slash at its end. */
  readonly url: string;
  readonly source: string;
  /** True when there is a mirror of it here that `--offline` would read. */
  readonly hasMirror?: (() => boolean) | undefined;
}

/** The problem that an answer is; undefined when it is none of this API's. */
export function problemIn(answer: Answer): Problem | undefined {
  const body = answer.status < 400 ? undefined : jsonOf(answer);
  return isProblem(body) ? body : undefined;
}

/** An answer's JSON; undefined when it is not UTF-8 or not JSON. */
export function jsonOf({ body }: Answer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** True when the same request may get another answer in a moment: not where a disk is full or a file is damaged. */
export function mayPass(answer: Answer): boolean {
  const problem = problemIn(answer);
  if (problem?.code === "in_flight") return true;
  const error = problem && errorOf(problem);
  if (error instanceof StoreError && error.code !== "unavailable") return false;
  return isPassing(answer.status);
}

/** What to say when a change may or may not have been made. */
export const UNKNOWN = "Whether the change was made is not known: look before you make it again.";

/** The error for an answer that is none: a refusal, or something that is no alai server. @param changes the request was for a change. */
export function errorFor(site: Site, answer: Answer, changes: boolean, signedIn: boolean): Error {
  const problem = problemIn(answer);
  const error = problem ? meaning(site, answer, problem, signedIn) : strange(site, answer);
  return changes && answer.maybeDone ? unsure(error) : error;
}

/** A failure after which a look is needed; a refusal is an answer. */
function unsure(error: Error): Error {
  const hint = (old: string | undefined) => [UNKNOWN, old].filter(Boolean).join(" ");
  if (error instanceof StoreError) return new StoreError(error.code, error.message, hint(error.hint), error);
  if (error instanceof Exit && error.exit === EXIT.bug)
    return new Exit(error.exit, error.code, error.message, hint(error.hint));
  return error;
}

function meaning(site: Site, answer: Answer, problem: Problem, signedIn: boolean): Error {
  const { status } = answer;
  // Nothing that its caller could sign in with helps: it is the way to the server that is wrong.
  if (problem.code === "local_only")
    return new StoreError("unavailable", `${site.url}: ${problem.detail}`, problem.hint);
  if (status === 401 || status === 403) return signIn(site, problem, signedIn);
  if (status === 429) return busy(site, answer);
  if (problem.code === "in_flight")
    return new StoreError("unavailable", `${site.url} is still busy with the first try of this call.`, UNKNOWN);
  const known = errorOf(problem);
  if (known) return known;
  if (status === 503) return new StoreError("unavailable", problem.detail, problem.hint);
  if (status >= 500) return new Exit(EXIT.bug, "bug", bug(site, problem), "Report it.");
  if (status === 413) return usage(problem.detail, problem.hint ?? "Send less in one call.");
  return new StoreError("unavailable", `${site.url} does not know this call: ${problem.detail}`, whyUnknown(site));
}

/** A call that no route takes: a wrong path in the address, where it has one, is likelier than an old server. */
function whyUnknown({ url, source }: Site): string {
  const { pathname, origin } = new URL(url);
  const version = "Is its version older than this program's? `alai --version` and its /docs tell.";
  if (pathname === "/") return version;
  return `The path ${shown(pathname)} of ${source} may be what is wrong: try ${origin}. ${version}`;
}

function bug({ url }: Site, { detail, request_id }: Problem): string {
  return `${url} failed: ${detail}${request_id === undefined ? "" : ` (request ${request_id})`}`;
}

function signIn({ url }: Site, { code, detail, hint }: Problem, signedIn: boolean): Exit {
  const how = signedIn
    ? "Give one that it takes in ALAI_TOKEN, or in a file that ALAI_TOKEN_FILE names."
    : "Put a token for it into ALAI_TOKEN, or into a file that ALAI_TOKEN_FILE names.";
  const isToken = code === "unauthenticated" || code === "invalid_token";
  return new Exit(EXIT.signIn, code, `${url}: ${detail}`, isToken ? how : (hint ?? how));
}

function busy({ url }: Site, answer: Answer): StoreError {
  const after = answer.headers["retry-after"];
  const when = after && /^\d{1,9}$/.test(after) ? `in ${after} s` : "later";
  return new StoreError("unavailable", `${url} has too many requests just now.`, `Try again ${when}.`);
}

/** Something answers there, but not an alai server. */
function strange(site: Site, { status, headers }: Answer): StoreError {
  if (status >= 300 && status < 400)
    return new StoreError(
      "unavailable",
      `${site.url} sends on to ${shown(headers.location ?? "elsewhere")}, which is not followed.`,
      `If that is the server, name it in ${site.source}.`,
    );
  if (isPassing(status))
    return new StoreError(
      "unavailable",
      `${site.url} answered ${status}: the server behind it is down, busy or starting.`,
      "Try again, or wait longer: --timeout 60s.",
    );
  return notAlai(site, `it answered ${status} with ${shown(headers["content-type"] ?? "nothing")}`);
}

export function notAlai({ url, source }: Site, why: string): StoreError {
  return new StoreError(
    "unavailable",
    `${url} is not an alai server: ${why}.`,
    `Check the address in ${source}; its /docs page shows whether it is one.`,
  );
}

function shown(text: string): string {
  return truncate(oneLine(text), 200);
}
