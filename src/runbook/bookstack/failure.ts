import type { Millis } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { retryAfter } from "../../kit/http/backoff.ts";
import type { Answer, NoAnswer } from "../../kit/http.ts";
import { oneLine, truncate } from "../../kit/text.ts";

/** BookStack asks to wait, by 429. Nothing was done. */
export class AsksToWait extends Error {
  readonly wait: Millis;

  constructor(wait: Millis) {
    super("BookStack asks to wait");
    this.wait = wait;
  }
}

/** It is this page that is refused, not us: the others may go through. Exit 1. */
export class PageRefused extends Exit {}

/** Laravel's throttle counts by the minute; a proxy's 429 may not say how long. */
const A_MINUTE: Millis = 60_000;

/**
 * What an answer that is no success means. @param what was asked for, as in `to read the page Overview`.
 * @param secret the name of the secret, never its value.
 */
export function failureOf(answer: Answer, where: string, what: string, secret: string): Error {
  const { status } = answer;
  const said = messageOf(answer);
  if (status === 429) return new AsksToWait(retryAfter(answer.headers["retry-after"], Date.now()) || A_MINUTE);
  if (status === 401)
    return new Exit(
      EXIT.signIn,
      "refused_token",
      `${where} does not take the token in ${secret}${said}.`,
      "Make one in BookStack: your profile, API Tokens; the secret is TOKEN_ID:TOKEN_SECRET.",
    );
  if (status === 403)
    return new Exit(
      EXIT.signIn,
      "forbidden",
      `${where} does not allow the owner of ${secret} ${what}${said}.`,
      "The token may have expired; else its owner needs the role permissions Access System API, and to create and edit books and pages.",
    );
  if (status === 404) return new PageRefused(EXIT.refused, "not_there", `${where} has nothing there ${what}${said}.`);
  if (status === 422) return new PageRefused(EXIT.refused, "invalid", `${where} refuses ${what}${said}.`);
  return new Exit(EXIT.unavailable, "unavailable", `${where} answers ${status} when asked ${what}${said}.`);
}

/** `{ error: { code, message, validation? } }` is how BookStack says what is wrong. */
function messageOf({ body }: Answer): string {
  try {
    const { error } = Object(JSON.parse(Buffer.from(body).toString("utf8"))) as { error?: unknown };
    const { message, validation } = Object(error) as { message?: unknown; validation?: unknown };
    const more = Object.values(Object(validation) as Record<string, unknown>).flat();
    const words = [message, ...more].filter((word) => typeof word === "string").join(" ");
    return words === "" ? "" : `: ${truncate(oneLine(words), 200).replace(/\.$/, "")}`;
  } catch {
    return "";
  }
}

/** In words: why no answer came. */
export function noAnswer(where: string, what: string, { kind, message, maybeDone }: NoAnswer): Exit {
  const why =
    kind === "timeout" ? "no answer in time" : kind === "name" ? "there is no host of that name" : oneLine(message);
  const unknown = maybeDone ? " Whether it was done is not known; the next push finds out." : "";
  return new Exit(EXIT.unavailable, "unavailable", `${where} could not be asked ${what}: ${why}.${unknown}`);
}
