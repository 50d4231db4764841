import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Host } from "../dr/manifest/model.ts";
import type { Env } from "../kit/env.ts";
import { runtimeExchange } from "../kit/http/exchange.ts";
import { type Answer, Http, NoAnswer } from "../kit/http.ts";
import { isLoopback } from "../kit/loopback.ts";
import { oneLine, truncate } from "../kit/text.ts";
import type { PathFinding } from "./machine/notice.ts";

/** How long one probe may take. */
export const DEADLINE: Millis = 3000;
/** More than a busy machine needs beyond that: what took longer stood still itself. */
const SLACK: Millis = 3000;
const LONGEST = 65_536;

/** What one look at a host brought. */
export interface Look {
  readonly paths: readonly PathFinding[];
  /** The watcher stood still meanwhile. */
  readonly late: boolean;
}

/** Asks agents for their health; past every proxy, for hosts are in a private network. */
export class Prober {
  readonly #http: Http;
  readonly #deadline: Millis;
  readonly #token: string | null;

  /** @param token what agents want from other machines; null: those that do are seen to live, and not how they are. */
  constructor(env: Env, token: string | null, deadline = DEADLINE) {
    const exchange = runtimeExchange(env, true);
    this.#deadline = deadline;
    this.#token = token;
    this.#http = new Http({ timeout: deadline, refused: 0, env, longest: LONGEST, exchange });
  }

  /** By every address at once. Never throws. */
  async look(host: Host): Promise<Look> {
    const start = monotonic();
    const paths = await Promise.all(host.addresses.map((address) => this.#probe(host, address)));
    return { paths, late: monotonic() - start > this.#deadline + SLACK };
  }

  close(): void {
    this.#http.close();
  }

  async #probe({ name, port }: Host, address: string): Promise<PathFinding> {
    const url = healthUrl(address, port);
    // Each probe shows that a new connection can be made.
    const plain = { accept: "application/json", "accept-encoding": "identity", connection: "close" };
    const isOpen = this.#token === null || isLoopback(url);
    const headers = isOpen ? plain : { ...plain, authorization: `Bearer ${this.#token}` };
    try {
      const answer = await this.#http.ask({ method: "GET", url, headers, repeatable: true, passing: () => false });
      return { address, ...findingOf(answer, name) };
    } catch (error) {
      return { address, answers: false, finding: words(error) };
    }
  }
}

function healthUrl(address: string, port: number): URL {
  return new URL(`http://${address.includes(":") ? `[${address}]` : address}:${port}/health`);
}

/** An agent that is not well (503), or lets only those in who have its token, lives: what it is not well with is `dr status`'s. */
function findingOf(answer: Answer, name: string): Omit<PathFinding, "address"> {
  const { status } = answer;
  const other = hostOf(answer);
  if (other !== null && other !== name) return { answers: false, finding: `another host answers there, ${other}` };
  if (status === 200) return { answers: true, finding: "answers" };
  if (status === 503) return { answers: true, finding: "answers, but is not well: alai dr status" };
  if (status === 401 || status === 403) return { answers: true, finding: "answers, and wants a token" };
  return { answers: false, finding: `answers ${status}, not as an agent` };
}

/** Which host's agent it is, where it says so. */
function hostOf({ body }: Answer): string | null {
  try {
    const { host } = (JSON.parse(Buffer.from(body).toString("utf8")) ?? {}) as { host?: unknown };
    return typeof host === "string" ? truncate(oneLine(host), 60) : null;
  } catch {
    return null;
  }
}

function words(error: unknown): string {
  if (!(error instanceof NoAnswer)) return error instanceof Error ? error.message : String(error);
  if (error.kind === "timeout") return "no answer in time";
  if (error.kind === "name") return "no host of that name";
  return error.kind === "refused" && error.message.includes("ECONNREFUSED") ? "nothing listens there" : error.message;
}
