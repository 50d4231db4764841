import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { askHost } from "../dr/agent/peers.ts";
import type { Host } from "../dr/manifest/model.ts";
import type { Env } from "../kit/env.ts";
import { runtimeExchange } from "../kit/http/exchange.ts";
import { Http, NoAnswer } from "../kit/http.ts";
import { isLoopback } from "../kit/loopback.ts";
import { alarmsIn, type Health, type RaisedAlarm, type Seen, seenIn } from "./health.ts";
import type { PathFinding } from "./machine/notice.ts";

/** How long one probe may take. */
export const DEADLINE: Millis = 3000;
/** More than a busy machine needs beyond that: what took longer stood still itself. */
const SLACK: Millis = 3000;
const LONGEST = 65_536;

/** What one look at a host brought. */
export interface Look {
  readonly paths: readonly PathFinding[];
  /** How its agent says it is; null: it does not, or not to us. */
  readonly health: Health | null;
  /** The watcher stood still meanwhile. */
  readonly late: boolean;
}

/** Asks agents for their health; past every proxy, for hosts are in a private network. */
export class Prober {
  readonly #http: Http;
  readonly #deadline: Millis;
  readonly #token: string | null;
  /** Of each host, what its alarms were about when it last said so. */
  readonly #subjects = new Map<string, readonly RaisedAlarm[]>();

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
    const seen = await Promise.all(host.addresses.map((address) => this.#probe(host, address)));
    const late = monotonic() - start > this.#deadline + SLACK;
    const paths = seen.map(({ health: _, ...path }) => path);
    const health = seen.find((one) => one.health)?.health ?? null;
    return { paths, late, health: health && (await this.#withSubjects(host, health)) };
  }

  /** What the alarms are about is in the report only, which is asked for while there are any. */
  async #withSubjects(host: Host, health: Health): Promise<Health> {
    if (health.alarms.length === 0) return health;
    const options = { token: this.#token, patience: this.#deadline, clock: Date.now };
    const asked = await askHost(host, options).catch(() => null);
    const known = asked ? alarmsIn(asked.value) : (this.#subjects.get(host.name) ?? []);
    this.#subjects.set(host.name, known);
    const about = (one: RaisedAlarm) => {
      const found = known.filter(({ kind }) => kind === one.kind);
      return found.length > 0 ? found : [one];
    };
    return { ...health, alarms: health.alarms.flatMap(about) };
  }

  close(): void {
    this.#http.close();
  }

  async #probe({ name, port }: Host, address: string): Promise<Seen & PathFinding> {
    const url = healthUrl(address, port);
    // Each probe shows that a new connection can be made.
    const plain = { accept: "application/json", "accept-encoding": "identity", connection: "close" };
    const isOpen = this.#token === null || isLoopback(url);
    const headers = isOpen ? plain : { ...plain, authorization: `Bearer ${this.#token}` };
    try {
      const answer = await this.#http.ask({ method: "GET", url, headers, repeatable: true, passing: () => false });
      return { address, ...seenIn(answer, name) };
    } catch (error) {
      return { address, answers: false, finding: words(error), health: null };
    }
  }
}

function healthUrl(address: string, port: number): URL {
  return new URL(`http://${address.includes(":") ? `[${address}]` : address}:${port}/health`);
}

function words(error: unknown): string {
  if (!(error instanceof NoAnswer)) return error instanceof Error ? error.message : String(error);
  if (error.kind === "timeout") return "no answer in time";
  if (error.kind === "name") return "no host of that name";
  return error.kind === "refused" && error.message.includes("ECONNREFUSED") ? "nothing listens there" : error.message;
}
