import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Context } from "../../kit/context.ts";
import { sentenceOf } from "../agent/log.ts";
import { findLitestream, type Litestream } from "../litestream/find.ts";
import type { Manifest } from "../manifest/model.ts";
import { openStorage } from "../storage/open.ts";
import type { Storage } from "../storage/storage.ts";
import { compose, type Measured } from "./compose.ts";
import { type ReportFiles, readDrills, writeDrill } from "./history.ts";
import { toHtml } from "./html.ts";
import { InterruptibleStorage, mustGoOn } from "./interruptible.ts";
import { toMarkdown } from "./markdown.ts";
import { measureMarkers } from "./markers/measure.ts";
import { aloneIn, type DrillPlace, drillPlace, newDrillId } from "./place.ts";
import { askPrimary } from "./primary.ts";
import type { DrillReport, Step } from "./report.ts";
import { type OnBytes, restoreAll } from "./restore-all.ts";
import { ID_FILE, removeDrill, sweepHere, sweepStorage } from "./sweep.ts";
import { fileTasks } from "./tasks.ts";

export interface DrillOptions {
  /** `Host.state`: reports and scratch are below it. */
  readonly stateFolder: string;
  /** The host of the manifest that this machine is. */
  readonly host: string | null;
  /** Whether findings become tasks. */
  readonly tasks: boolean;
  /** When writer and Litestream are killed, 0 to below 1. */
  readonly random?: () => number;
  readonly onBytes: OnBytes;
  /** Told when the restores are done and the markers begin. */
  readonly onMarkers: () => void;
}

export interface Drilled {
  readonly report: DrillReport;
  readonly files: ReportFiles;
}

/**
 * The drill that touches no production database: everything restored from storage for real, and what a crash would lose measured on
 * databases of its own. Whatever it made is removed again, after a signal too; what a killed one left, the next one removes. Throws
 * StorageError where storage cannot be listed, Exit 1 where a drill runs here, Exit 130 after a signal.
 */
export function runDrill(context: Context, manifest: Manifest, options: DrillOptions): Promise<Drilled> {
  const place = drillPlace(options.stateFolder);
  const { interrupted: signal } = context;
  return aloneIn(place, async () => {
    const storage = await openStorage(context, manifest.storage);
    const id = newDrillId(context.clock());
    try {
      const steps = new Steps();
      const dead = await steps.run("sweep", () => sweep(context, manifest, { place, storage }), sweptText);
      mkdirSync(place.scratch, { recursive: true, mode: 0o700 });
      const measured = await measure(context, manifest, {
        ...options,
        place,
        id,
        steps,
        signal,
        storage,
        startedAt: dead.at,
      });
      return await conclude(context, manifest, { ...options, place, measured });
    } finally {
      await tidy(context, manifest, { place, storage, id });
      storage.close();
    }
  });
}

interface Around {
  readonly place: DrillPlace;
  readonly storage: Storage;
}

interface Swept {
  readonly at: Millis;
  readonly killed: string | null;
  readonly drills: number;
}

async function sweep(context: Context, manifest: Manifest, { place, storage }: Around): Promise<Swept> {
  const at = context.clock();
  const killed = await sweepHere(place, context.platform);
  const dead = killed === null ? [] : [killed];
  return { at, killed, drills: await sweepStorage(storage, manifest.storage, { now: at, dead }) };
}

function sweptText({ killed, drills }: Swept): string {
  if (killed === null && drills === 0) return "nothing was left over";
  const which = killed === null ? "" : ` of ${killed}, which was killed,`;
  return `what was left over${which} is removed; ${drills} in storage`;
}

interface Measuring extends DrillOptions, Around {
  readonly id: string;
  readonly steps: Steps;
  readonly signal: AbortSignal;
  readonly startedAt: Millis;
}

async function measure(context: Context, manifest: Manifest, options: Measuring): Promise<Measured> {
  const { id, place, steps, signal, startedAt, onBytes, onMarkers, host, random = Math.random } = options;
  const { scratch } = place;
  const storage = new InterruptibleStorage(options.storage, signal);
  const primary = await steps.run(
    "ask the primary",
    () => askPrimary(context, manifest, storage),
    ({ trouble, host: owner }) => trouble ?? `${owner} answered`,
  );
  const databases = manifest.databases.toSorted((a, b) => a.tier.order - b.tier.order || (b.size ?? 0) - (a.size ?? 0));
  const restored = await steps.run(
    "restore and check every database",
    () => restoreAll(storage, databases, { scratch, onBytes }),
    ({ byName }) => `${[...byName.values()].filter(({ kind }) => kind === "restored").length} of ${databases.length}`,
  );
  mustGoOn(signal);
  onMarkers();
  let litestream: Litestream | null = null;
  const markers = await steps
    .run(
      "write markers, kill, restore",
      async () => {
        litestream = await findLitestream(context);
        // From here on there is something in storage to remove.
        writeFileSync(join(scratch, ID_FILE), id);
        return measureMarkers(context, manifest, { id, scratch, storage, signal, random, litestream: litestream.path });
      },
      ({ databases: all }) => `${all.reduce((sum, { lost }) => sum + lost, 0)} acknowledged rows lost`,
    )
    .catch((error: unknown) => ({ trouble: sentenceOf(error) }));
  mustGoOn(signal);
  return {
    ...{ id, startedAt, host, databases, primary, restored, markers, steps: steps.all },
    ...{ endedAt: context.clock(), machine: hostname(), by: context.identity().actor, storage: storage.label },
    versions: { alai: context.version, litestream: versionOf(litestream), sqlite: sqliteVersion() },
  };
}

function versionOf(litestream: Litestream | null): string | null {
  return litestream?.version ?? null;
}

function sqliteVersion(): string {
  const db = new DatabaseSync(":memory:");
  try {
    return String(db.prepare("SELECT sqlite_version() AS version").get()?.version);
  } finally {
    db.close();
  }
}

/** The report first, tasks after it: a ledger that hangs or a kill takes no measurement away. */
async function conclude(
  context: Context,
  manifest: Manifest,
  { place, measured, tasks }: DrillOptions & { readonly place: DrillPlace; readonly measured: Measured },
): Promise<Drilled> {
  const earlier = readDrills(place);
  const report = compose(manifest, measured, earlier);
  const write = (one: DrillReport) =>
    writeDrill(place, one, { markdown: toMarkdown(one, earlier), html: toHtml(one, earlier) });
  const files = write(report);
  if (!tasks) return { report, files };
  const filed = { ...report, tasks: await fileTasks(context, report) };
  return { report: filed, files: write(filed) };
}

/** Removes what this drill made. What storage does not let go now, the next drill removes. */
async function tidy(
  context: Context,
  manifest: Manifest,
  { place, storage, id }: Around & { readonly id: string },
): Promise<void> {
  try {
    if (existsSync(join(place.scratch, ID_FILE))) await removeDrill(storage, manifest.storage, id);
    rmSync(place.scratch, { recursive: true, force: true, maxRetries: 5 });
  } catch (error) {
    context.warn(`what the drill put into storage is still there, and removed by the next one: ${sentenceOf(error)}`);
    for (const part of ["restored", "databases"])
      rmSync(join(place.scratch, part), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Times what is done, by one monotonic clock. */
class Steps {
  readonly all: Step[] = [];
  readonly #began = monotonic();

  async run<T>(name: string, work: () => Promise<T>, outcome: (result: T) => string): Promise<T> {
    const began = monotonic();
    const note = (text: string) => {
      const seconds = (monotonic() - began) / 1000;
      this.all.push({ name, atSeconds: (began - this.#began) / 1000, seconds, outcome: text });
    };
    try {
      const result = await work();
      note(outcome(result));
      return result;
    } catch (error) {
      note(sentenceOf(error));
      throw error;
    }
  }
}
