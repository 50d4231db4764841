import { setTimeout as sleep } from "node:timers/promises";
import type { Caller, Grant, LeaseStatus, Millis, Released, StatusChange, SweptLease, Task } from "@alai/core";
import type { Holder } from "@alai/core/holder";
import { errorOf, isProblem } from "@alai/core/wire/problem";
import type { Random } from "../random.ts";
import type { LeaseLedger } from "../record.ts";
import { NOT_SENT } from "./proxy.ts";

/** Longer than any answer that is still to come: a server that hangs is an unknown outcome too. */
const PATIENCE = 8000;
/** How often a request that went nowhere is sent again. */
const TRIES = 100;

/**
 * The verbs of the workload over HTTP, each sent once to one of the servers (again only when nobody was there to take it):
 * what has no answer stays of unknown outcome.
 * Not the CLI's own client, which would try again and hide what a fault did.
 */
export class WireLedger implements LeaseLedger {
  readonly #urls: readonly string[];
  readonly #random: Random;

  constructor(urls: readonly string[], random: Random) {
    this.#urls = urls;
    this.#random = random;
  }

  async claim([id]: readonly number[], caller: Caller, ttl: Millis): Promise<Grant[]> {
    return [await this.#ask<Grant>("PUT", `/tasks/${id}/lease`, caller, { ttl })];
  }

  async extend([id]: readonly number[], caller: Caller, ttl?: Millis): Promise<Grant[]> {
    return [await this.#ask<Grant>("PATCH", `/tasks/${id}/lease`, caller, ttl === undefined ? {} : { ttl })];
  }

  async release([id]: readonly number[], caller: Caller): Promise<Released[]> {
    return [await this.#ask<Released>("DELETE", `/tasks/${id}/lease`, caller)];
  }

  async setStatus([id]: readonly number[], change: StatusChange, caller: Caller): Promise<Task[]> {
    return [await this.#ask<Task>("PUT", `/tasks/${id}/status`, caller, change)];
  }

  async leaseStatus([id]: readonly number[], holder: Holder): Promise<LeaseStatus[]> {
    return [await this.#ask<LeaseStatus>("GET", `/tasks/${id}/lease`, holder)];
  }

  async sweep(caller: Caller, autoRelease: boolean): Promise<SweptLease[]> {
    const { leases } = await this.#ask<{ leases: SweptLease[] }>("POST", "/leases/sweep", caller, {
      release: autoRelease,
    });
    return leases;
  }

  close(): void {}

  async #ask<T>(method: string, path: string, { actor, session, fence }: Caller, body?: unknown): Promise<T> {
    const request = {
      method,
      headers: {
        "alai-actor": actor,
        "alai-session": session,
        ...(fence !== undefined && { "alai-fence": String(fence) }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    for (let tries = 0; ; tries++) {
      const answer = await fetch(`${this.#random.pick(this.#urls)}${path}`, {
        ...request,
        signal: AbortSignal.timeout(PATIENCE),
      });
      const said: unknown = await answer.json();
      if (answer.ok) return said as T;
      if (!isProblem(said)) throw new Error(`answer ${answer.status}: ${JSON.stringify(said)}`);
      if (said.code !== NOT_SENT || tries > TRIES) throw errorOf(said) ?? new Error(`${said.code}: ${said.detail}`);
      await sleep(100);
    }
  }
}
