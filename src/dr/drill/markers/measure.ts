import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { inheritedEnv } from "../../../kit/child-env.ts";
import type { Context } from "../../../kit/context.ts";
import { oneLine, truncate } from "../../../kit/text.ts";
import { litestreamEnvironment } from "../../litestream/environment.ts";
import { filesByReplica, newestTxid } from "../../ltx/name.ts";
import type { Manifest } from "../../manifest/model.ts";
import { replicateWords } from "../../render/configs.ts";
import type { Storage } from "../../storage/storage.ts";
import { mustGoOn } from "../interruptible.ts";
import type { Markers } from "../report.ts";
import { WRITER_WORD } from "./protocol.ts";
import { restoreSet } from "./restore-set.ts";
import { prepareSet, type SacrificialSet } from "./set.ts";
import { Witness } from "./witness.ts";

/** Between two rows of one database. */
const EVERY: Millis = 100;
/** How long it may take until storage has what a sync found, besides the syncs themselves. */
const PATIENCE: Millis = 60_000;
const LOOK: Millis = 250;

export interface MeasureOptions {
  readonly id: string;
  readonly scratch: string;
  readonly storage: Storage;
  /** Path of Litestream. */
  readonly litestream: string;
  readonly signal: AbortSignal;
  /** 0 to below 1: when they are killed. */
  readonly random: () => number;
}

/**
 * Writes markers into databases of the drill's own, ships them with a real Litestream, kills both at some moment, and restores: what
 * the witness was told of and is not there was lost. Throws with a sentence when that cannot be done.
 */
export async function measureMarkers(context: Context, manifest: Manifest, options: MeasureOptions): Promise<Markers> {
  const { scratch, storage, litestream, signal, random } = options;
  const set = await prepareSet(manifest, { ...options, platform: context.platform });
  const witness = new Witness([...context.self, "dr", "drill", WRITER_WORD], inheritedEnv(context.env, false));
  let shipper: Shipper | null = null;
  try {
    witness.tell({ kind: "write", every: EVERY, databases: set.databases.map(({ name, file }) => ({ name, file })) });
    await witness.ready;
    const began = monotonic();
    shipper = new Shipper(
      litestream,
      set,
      join(scratch, "litestream.log"),
      await litestreamEnvironment(context, manifest.storage),
    );
    if (shipper.pid > 0) witness.tell({ kind: "litestream", pid: shipper.pid });
    const slowest = Math.max(...set.databases.map(({ tier }) => tier.syncInterval));
    await untilShipped(storage, set, { witness, shipper, signal, slowest });
    // Somewhere in two rounds of the slowest: no kill is better timed than another.
    await sleep(500 + random() * (2 * slowest + 1000), undefined, { signal }).catch(() => mustGoOn(signal));
    mustBothRun(witness, shipper);
    await Promise.all([shipper.kill(), witness.kill()]);
    const seconds = (monotonic() - began) / 1000;
    return { seconds, databases: await restoreSet(storage, set, witness.witnessed, scratch) };
  } finally {
    await Promise.all([shipper?.kill(), witness.kill()]);
  }
}

/** The drill's own Litestream. */
class Shipper {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #ended: Promise<unknown>;

  constructor(path: string, { configFile }: SacrificialSet, log: string, env: Readonly<Record<string, string>>) {
    this.#log = log;
    const fd = openSync(log, "a", 0o600);
    this.#child = spawn(path, replicateWords(configFile), { env, stdio: ["ignore", fd, fd], windowsHide: true });
    closeSync(fd);
    this.#ended = Promise.race([once(this.#child, "exit"), once(this.#child, "error")]).catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isOver(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The last line of its log. */
  get lastWords(): string {
    const lines = readFileSync(this.#log, "utf8").trim().split("\n");
    return truncate(oneLine(lines.at(-1) ?? ""), 200);
  }

  async kill(): Promise<void> {
    if (this.isOver) return;
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

interface Running {
  readonly witness: Witness;
  readonly shipper: Shipper;
}

/** Waits until shipping goes on: storage has each as it was in the beginning, and something that was written since. */
async function untilShipped(
  storage: Storage,
  { databases, prefix }: SacrificialSet,
  { signal, slowest, ...running }: Running & { readonly signal: AbortSignal; readonly slowest: Millis },
): Promise<void> {
  const patience = PATIENCE + 4 * slowest;
  const end = monotonic() + patience;
  for (;;) {
    mustGoOn(signal);
    mustBothRun(running.witness, running.shipper);
    const replicas = filesByReplica(await storage.list(prefix), prefix);
    if (databases.every(({ name }) => newestTxid(replicas.get(name) ?? []) > 1)) return;
    if (monotonic() > end)
      throw new Error(`The markers did not come up in ${storage.label} within ${Math.round(patience / 1000)} s.`);
    await sleep(LOOK);
  }
}

function mustBothRun(witness: Witness, shipper: Shipper): void {
  if (witness.isOver) throw new Error("The writer of markers ended by itself.");
  if (shipper.isOver) throw new Error(`Litestream ended by itself: ${shipper.lastWords}`);
}
