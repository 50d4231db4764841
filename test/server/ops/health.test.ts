import { setTimeout as sleep } from "node:timers/promises";
import { type LedgerEvent, StoreError } from "@alai/core";
import { describe, expect, it } from "vitest";
import { Readiness, type ReadinessOptions, registerHealth } from "../../../server/src/ops/index.ts";
import { observedApp } from "./app.ts";

type Events = () => Promise<LedgerEvent[]>;

async function served(events: Events, more: Partial<ReadinessOptions> = {}) {
  const readiness = new Readiness({ ledger: { events }, patience: 100, ...more });
  const { app } = await observedApp({}, (made) => registerHealth(made, readiness));
  const ready = async () => {
    const answer = await app.inject({ url: "/readyz" });
    const at = answer.statusCode === 503 ? answer.json().errors.map((error: { at: string }) => error.at) : [];
    return [answer.statusCode, ...at];
  };
  return { app, readiness, ready };
}

const well: Events = async () => [];

describe("/readyz", () => {
  it("says ready when the store answers", async () => {
    const { ready } = await served(well, { migrated: async () => true });
    expect(await ready()).toEqual([200]);
  });

  it("names what is amiss, as a problem", async () => {
    const down: Events = async () => {
      throw new StoreError("unavailable", "away");
    };
    expect(await (await served(down)).ready()).toEqual([503, "store"]);
    const { app, ready } = await served(well, { migrated: async () => false });
    expect(await ready()).toEqual([503, "migrations"]);
    const answer = await app.inject({ url: "/readyz" });
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.headers["retry-after"]).toBeDefined();
    expect(answer.json()).toMatchObject({ status: 503, code: "not_ready", instance: "/readyz" });
  });

  it("does not wait for a store that hangs, and asks it once however many ask", async () => {
    let asked = 0;
    const hangs: Events = () => {
      asked += 1;
      return new Promise(() => {});
    };
    const { ready } = await served(hangs);
    // The store never answers: that these do is the proof.
    const answers = await Promise.all(Array.from({ length: 20 }, ready));
    expect(answers).toEqual(Array(20).fill([503, "store"]));
    expect(asked).toBe(1);
  });

  it("is ready again when the store is", async () => {
    let down = true;
    const { ready } = await served(async () => {
      if (down) throw new StoreError("unavailable", "away");
      return [];
    });
    expect(await ready()).toEqual([503, "store"]);
    down = false;
    expect(await ready()).toEqual([200]);
  });

  it("says no while the server stops, without asking the store; answers then close their connection", async () => {
    let asked = 0;
    const { app, readiness, ready } = await served(async () => {
      asked += 1;
      return [];
    });
    expect((await app.inject({ url: "/tasks/1" })).headers.connection).not.toBe("close");
    readiness.drain();
    expect(readiness.stopping.aborted).toBe(true);
    expect(await ready()).toEqual([503, "draining"]);
    expect(asked).toBe(0);
    expect((await app.inject({ url: "/tasks/1" })).headers.connection).toBe("close");
    expect((await app.inject({ url: "/nowhere" })).headers.connection).toBe("close");
  });
});

describe("/healthz", () => {
  it("never touches the store", async () => {
    let asked = 0;
    const { app, readiness } = await served(() => {
      asked += 1;
      return new Promise(() => {});
    });
    const answer = await app.inject({ url: "/healthz" });
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: "ok" }]);
    readiness.drain();
    expect((await app.inject({ url: "/healthz" })).statusCode).toBe(200);
    await sleep(1);
    expect(asked).toBe(0);
  });
});
