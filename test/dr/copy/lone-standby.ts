import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../../src/dr/agent/log.ts";
import { Standby } from "../../../src/dr/agent/standby.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { filesByReplica } from "../../../src/dr/ltx/name.ts";
import type { Host, Manifest } from "../../../src/dr/manifest/model.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";
import type { DatabaseReport } from "../../../src/dr/report.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { until } from "../world.ts";
import { HeldStorage } from "./held-storage.ts";
import { ship } from "./images.ts";

/** Storage without a Litestream, and a real `Standby` over it, with a clock that a test can set. */
export class LoneStandby implements AsyncDisposable {
  readonly folder: string;
  readonly storage: HeldStorage;
  /** What is added to the time. */
  ahead = 0;
  log = "";
  standby: Standby;
  readonly #manifest: Manifest;
  readonly #state: AgentState;

  constructor(names: readonly string[]) {
    this.folder = mkdtempSync(join(tmpdir(), "alai-standby-"));
    for (const part of ["storage", "copies", "forge"]) mkdirSync(join(this.folder, part));
    this.storage = new HeldStorage(join(this.folder, "storage"));
    this.#manifest = manifestOf(this.folder, names);
    this.#state = new AgentState(join(this.folder, "forge", "agent.db"));
    this.standby = this.#begin();
  }

  /** As the agent does at a change of what storage says, and after a new start. */
  async again(limit = 5000): Promise<void> {
    await this.standby.stop(limit);
    this.standby = this.#begin();
  }

  /** @param seq of the heartbeat in it; absent: there is none. */
  ship(name: string, txid: number, rows = txid, seq?: number): Promise<void> {
    const beat = seq === undefined ? {} : { beat: { epoch: 1, seq } };
    return ship(this.storage, this.folder, { replica: `e1/${name}`, txid, rows, ...beat });
  }

  /** One look at storage. */
  async list(): Promise<void> {
    await listed(this.standby, this.storage);
  }

  report(name: string): DatabaseReport {
    const one = this.standby.databases.find(({ database }) => database.name === name);
    if (!one) throw new Error(`no ${name}`);
    return one.report;
  }

  /** Looks at storage again and again until a database is as wanted. */
  async until(name: string, what: string, look: (report: DatabaseReport) => boolean): Promise<void> {
    await until(`${name}: ${what}`, async () => {
      await this.list();
      return look(this.report(name));
    });
  }

  published(name: string): string {
    return join(this.folder, "copies", `${name}.db`);
  }

  /** Where the working copy is, before any was given up. */
  working(name: string): string {
    return join(this.folder, "forge", "copies", name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.storage.holding = false;
    this.storage.release();
    await this.standby.stop(20_000);
    this.#state.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #begin(): Standby {
    const log = createLog(
      (line) => {
        this.log += line;
      },
      "0",
      Date.now,
    );
    const { storage } = this;
    return new Standby({
      ...{ manifest: this.#manifest, host: hostOf(this.#manifest), storage, state: this.#state, log, epoch: 1 },
      clock: () => Date.now() + this.ahead,
    });
  }
}

/** Tells a standby what is in storage. */
export async function listed(standby: Standby, storage: Storage): Promise<void> {
  const began = Date.now();
  standby.listed({ began, replicas: filesByReplica(await storage.list("e1/"), "e1/") });
}

/** @param state the standby's folder of state, in `folder`. */
export function manifestOf(folder: string, names: readonly string[], state = "forge"): Manifest {
  const host = { user: "alai", os: "linux", addresses: ["127.0.0.1"] };
  const at = (part: string) => join(folder, part);
  const text = {
    hosts: [
      { name: "anvil", role: "primary", ...host, port: 7801, databases: at("db"), state: at("anvil") },
      { name: "forge", role: "standby", ...host, port: 7901, databases: at("copies"), state: at(state) },
    ],
    storage: { type: "file", path: at("storage") },
    tiers: [
      { name: "p0", heartbeat: "none", retention: "1h", "snapshot-interval": "10m", "sync-interval": "1s", rpo: "60s" },
    ],
    databases: names.map((name) => ({ name, tier: "p0" })),
  };
  return parseManifest(JSON.stringify(text), "m.yaml");
}

export function hostOf({ hosts }: Manifest): Host {
  const host = hosts.find(({ role }) => role === "standby");
  if (!host) throw new Error("no standby");
  return host;
}
