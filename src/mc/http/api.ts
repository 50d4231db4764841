import { type Caller, type Holder, type Millis, Refusal, StoreError } from "@alai/core";
import * as H from "@alai/core/wire/headers";
import { errorOf, type Problem } from "@alai/core/wire/problem";
import type { TokenSource } from "../../auth/source.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { type Answer, type Arriving, type Http, NoAnswer, type Patience, type Request, whole } from "../../kit/http.ts";
import { errorFor, jsonOf, mayPass, notAlai, type Site } from "./answers.ts";
import { noAnswer } from "./no-answer.ts";

/** What makes it safe to send a call again after a lost answer: it reads, it has a key, or it does the same however often. */
type Effect = "read" | "keyed" | "same";

/** One call of the API. */
export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly effect: Effect;
  /** A field that the answer must have, or it is not this API's. */
  readonly has: string;
  readonly as?: Caller | Holder | undefined;
  readonly body?: unknown;
  readonly ifMatch?: string | undefined;
  /** How long the server may wait for news before it answers. */
  readonly waits?: Millis | undefined;
  /** Not sent again by itself. */
  readonly once?: boolean | undefined;
}

/** What every call of one command has in common. */
export interface ApiOptions extends Site {
  /** Sent with every call. */
  readonly headers: Readonly<Record<string, string>>;
  /** Asked for each call. */
  readonly tokens: TokenSource;
  /** An actor that nobody named: with a token, the token's own is meant. */
  readonly unnamed: string | null;
  readonly timeout: Millis;
}

/** The companion server's API. Calls throw what the local ledger would, `StoreError` without an answer, `Exit` 4 without a sign-in. */
export class Api {
  readonly #http: Http;
  readonly #options: ApiOptions;

  constructor(http: Http, options: ApiOptions) {
    this.#http = http;
    this.#options = options;
  }

  get site(): Site {
    return this.#options;
  }

  within(patience: Patience): Api {
    return new Api(this.#http.within(patience), { ...this.#options, timeout: patience.timeout });
  }

  async call<T>(call: Call): Promise<T> {
    const { answer, token } = await this.#signedIn((one) => this.#ask(call, this.#request(call, one)));
    if (answer.status >= 300) throw errorFor(this.#options, answer, call.effect !== "read", token !== null);
    const caller = call.as as Caller | undefined;
    if (answer.headers[H.REPLAYED] === "true") caller?.request?.replayed?.();
    tellPassedOver(answer, caller);
    const body = jsonOf(answer);
    if (typeof body === "object" && body !== null && call.has in body) return body as T;
    throw notAlai(this.#options, "what it answered is not what was asked for");
  }

  /** A reading call that is answered piece by piece: sent once, and the caller checks what comes. */
  async open(call: Omit<Call, "has">): Promise<Arriving> {
    try {
      const { answer: arriving, token } = await this.#signedIn((one) =>
        this.#http.open(this.#request({ ...call, has: "" }, one)),
      );
      if (arriving.status < 300) return arriving;
      const body = await whole(arriving.body);
      throw errorFor(this.#options, { ...arriving, body, maybeDone: false }, false, token !== null);
    } catch (error) {
      throw this.worded(error, false);
    }
  }

  /** For an answer in pieces that is not all of it. */
  notWhole(why: string): StoreError {
    return new StoreError("unavailable", `The answer of ${this.#options.url} is not whole: ${why}.`, "Try again.");
  }

  /** A failure of the client in words; anything else as it is. */
  worded(error: unknown, changes: boolean): unknown {
    return error instanceof NoAnswer ? noAnswer(this.#options, error, changes, this.#options.timeout) : error;
  }

  close(): void {
    this.#http.close();
  }

  /** Sends with the token there is; once more with a new one when the server takes the first for over: nothing was done then. */
  async #signedIn<A extends { readonly status: number }>(
    send: (token: string | null) => Promise<A>,
  ): Promise<{ answer: A; token: string | null }> {
    const { tokens } = this.#options;
    const token = await tokens.get();
    const answer = await send(token);
    if (answer.status !== 401) return { answer, token };
    if (token === null) {
      await this.#requireNotWithheld();
      return { answer, token };
    }
    const fresh = await tokens.renewed(token);
    return fresh === null ? { answer, token } : { answer: await send(fresh), token: fresh };
  }

  /** Throws Exit 4 where a sign-in is there that may not go to this server. */
  async #requireNotWithheld(): Promise<void> {
    const { tokens, url } = this.#options;
    const how = await tokens.withheld?.();
    if (how) throw new Exit(EXIT.signIn, "sign_in_withheld", `${url} wants a sign-in, and yours is not for it.`, how);
  }

  async #ask(call: Call, request: Request): Promise<Answer> {
    try {
      return await this.#http.ask(request);
    } catch (error) {
      throw this.worded(error, call.effect !== "read");
    }
  }

  #request(call: Call, token: string | null): Request {
    return {
      method: call.method,
      url: new URL(this.#options.url + call.path),
      headers: this.#headers(call, token),
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      repeatable: call.once !== true,
      passing: mayPass,
      waits: call.waits,
    };
  }

  #headers({ as, body, effect, ifMatch }: Call, token: string | null): Record<string, string> {
    const { fence, unenforced, request } = (as ?? {}) as Partial<Caller>;
    const named = as && (token === null || as.actor !== this.#options.unnamed);
    return {
      ...this.#options.headers,
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(named && { [H.ACTOR]: encodeURIComponent(as.actor) }),
      ...(as && { [H.SESSION]: encodeURIComponent(as.session) }),
      ...(fence !== undefined && { [H.FENCE]: String(fence) }),
      ...(unenforced && { [H.ENFORCE]: "0" }),
      ...(effect === "keyed" && { [H.IDEMPOTENCY_KEY]: request?.key ?? globalThis.crypto.randomUUID() }),
      ...(ifMatch !== undefined && { "if-match": ifMatch }),
      ...(body !== undefined && { "content-type": "application/json" }),
    };
  }
}

/** Refusals that were passed over because enforcement is off are told as the local ledger tells them. */
function tellPassedOver(answer: Answer, caller: Caller | undefined): void {
  const header = answer.headers[H.PASSED_OVER];
  if (!header || !caller?.unenforced) return;
  for (const problem of JSON.parse(decodeURIComponent(header)) as Problem[]) {
    const error = errorOf(problem);
    if (error instanceof Refusal) caller.unenforced(error);
  }
}
