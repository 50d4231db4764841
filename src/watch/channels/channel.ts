import type { Millis } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { retryAfter } from "../../kit/http/backoff.ts";
import { type Answer, type Http, NoAnswer } from "../../kit/http.ts";
import type { Notice } from "../machine/notice.ts";

/** One notice on its way to one channel. */
export interface Outgoing {
  readonly notice: Notice;
  readonly to: "channel" | "direct";
  /** A UUID that stays the same however often this is sent. */
  readonly mark: string;
  /** An earlier try may have arrived. */
  readonly again: boolean;
  /** From 1. */
  readonly attempt: number;
  /** It was for a person directly, who cannot be told there: whoever is in the channel is called. */
  readonly everyone: boolean;
}

/** Somewhere that alerts go to. */
export interface Channel {
  readonly name: string;
  /** What is for a person goes to the same place as all else, so that one row keeps its order. Absent: to another place. */
  readonly onePlace?: boolean;
  /** Resolves when the service has taken it. Throws SendError, or Exit for a secret that is not there. */
  send(outgoing: Outgoing): Promise<void>;
  /** Reads what it needs. Throws Exit when it is not there. */
  prepare(): Promise<void>;
}

/**
 * Whose fault a refusal is. `message`: this one is wrong, and no use to send again. `addressee`: the person who was to be told
 * directly, or the right to do so. `channel`: what the manifest, the secret or the service's setting says of the whole channel:
 * somebody has to mend it. `passing`: nobody's.
 */
export type Fault = "message" | "addressee" | "channel" | "passing";

/** Not taken. Never with a secret in it. Exit 69. */
export class SendError extends Exit {
  /** It may have arrived all the same. */
  readonly maybeSent: boolean;
  /** How long the service asks to wait. */
  readonly wait: Millis;
  readonly fault: Fault;

  constructor(message: string, more: { maybeSent?: boolean; wait?: Millis; fault?: Fault } = {}) {
    super(EXIT.unavailable, "not_delivered", message);
    this.name = "SendError";
    this.maybeSent = more.maybeSent ?? false;
    this.wait = more.wait ?? 0;
    this.fault = more.fault ?? "passing";
  }
}

/** How long one request to a service may take. */
export const PATIENCE = { timeout: 10_000, refused: 0 } as const;

/** Posts once; asking again is the outbox's. @param who stands in errors instead of the address, which may be a secret. */
export async function post(
  http: Http,
  who: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Answer> {
  try {
    const all = { ...headers, "accept-encoding": "identity" };
    return await http.ask({ method: "POST", url, headers: all, body, repeatable: false });
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new SendError(`${who}: ${words(error)}`, { maybeSent: error.maybeDone });
  }
}

function words({ kind, message }: NoAnswer): string {
  if (kind === "timeout") return "no answer in time";
  return kind === "name" ? "no host of that name" : message;
}

/** How long an answer asks to wait, by its Retry-After. */
export function waitOf({ headers }: Answer): Millis {
  return retryAfter(headers["retry-after"], Date.now());
}

export function textOf({ body }: Answer): string {
  return Buffer.from(body).toString("utf8");
}

/** The address that a secret is. Throws SendError without it. */
export function secretUrl(who: string, secret: string): URL {
  const url = URL.parse(secret.trim());
  const isSafe =
    url?.protocol === "https:" || (url?.protocol === "http:" && /^(127\.|localhost|\[::1\])/.test(url.hostname));
  if (url && isSafe) return url;
  throw new SendError(`${who}: its secret is no https address`, { fault: "channel" });
}
