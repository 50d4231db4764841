import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { startBar } from "../../kit/bar.ts";
import type { Context } from "../../kit/context.ts";
import { withSpinner } from "../../kit/progress.ts";
import { writeBackup } from "./backup.ts";
import { bringFiles, type MissingFile, missingFiles, type Sides } from "./bring-files.ts";
import { Bringing, type Refused } from "./bring-items.ts";
import { type Difference, differ } from "./difference.ts";
import { type Entry, type Inventory, takeInventory } from "./inventory.ts";
import { Journal } from "./journal.ts";
import { leftBehind } from "./left-behind.ts";
import type { ServerKind } from "./probe.ts";
import { type Migration, nameDifferences, nameFiles, nameFolders, nameHidden, tally } from "./report.ts";
import type { Side } from "./side.ts";
import type { Key } from "./sign-in.ts";
import { withSides } from "./two-sides.ts";

export interface Wish {
  readonly from: string;
  readonly to: string;
  readonly source: { readonly kind: ServerKind; readonly key: Key };
  readonly destination: { readonly kind: ServerKind; readonly key: Key };
  readonly dryRun: boolean;
  readonly backup: { readonly file: string; readonly passphrase: string } | null;
}

/**
 * Brings what the destination lacks, and then compares every item and file of both from a fresh sync. Killed and run again it goes
 * on; run twice it adds nothing.
 */
export async function migrate(context: Context, wish: Wish): Promise<Migration> {
  const started = monotonic();
  const { from, to } = wish;
  const signings = [
    { role: "source", server: from, key: wish.source.key },
    { role: "destination", server: to, key: wish.destination.key },
  ] as const;
  const done = await withSides(context, signings, async ([source, destination], patience) => {
    if (!source || !destination) throw new Error("a side is missing");
    return new Run(context, wish, { source, destination, patience }).run();
  });
  return { ...done, took: monotonic() - started };
}

/** Older, and the source may have gone on since it was fetched. */
const FRESH: Millis = 60_000;

interface Look {
  readonly source: Inventory;
  readonly destination: Inventory;
  readonly found: Difference;
  /** Items that this migration brought earlier, and that were changed there since. */
  readonly changed: ReadonlyMap<Entry, Entry>;
  readonly files: readonly MissingFile[];
}

/** One migration, signed in on both sides. */
class Run {
  readonly #context: Context;
  readonly #wish: Wish;
  readonly #sides: Sides;

  constructor(context: Context, wish: Wish, sides: Sides) {
    this.#context = context;
    this.#wish = wish;
    this.#sides = sides;
  }

  async run(): Promise<Omit<Migration, "took">> {
    const { from, to, destination, dryRun, backup } = this.#wish;
    const { userId } = await this.#sides.destination.account();
    const journal = await Journal.open(this.#context, from, to, userId, destination.key.password);
    const first = await this.#spin("Comparing", () => this.#look(journal, dryRun));
    if (backup) await writeBackup(backup.file, first.source, backup.passphrase);
    const missing = first.found.missing.filter((entry) => isToBring(entry, first));
    const folders = [...first.source.folders.keys()].filter((name) => !first.destination.folders.has(name));
    const counts = { items: missing.length, folders: folders.length };
    if (dryRun) return this.#report(journal, first, first.files, { ...counts, files: countFiles(missing, first) }, []);
    if (!backup && missing.length > 0)
      this.#context.warn("no export of the source is kept outside of both servers: --backup FILE keeps one, encrypted");
    const [refused, synced] = await Promise.all([
      this.#bring(journal, first, missing, folders),
      // While the destination's bw encrypts, the source's has nothing else to do.
      this.#sync(this.#sides.source).then(() => monotonic()),
    ]);
    const stale = monotonic() - synced > FRESH;
    const second = await this.#spin("Comparing every item", () => this.#lookAnew(journal, stale));
    const done = await this.#bringFiles(journal, second);
    const files = done.added > 0 ? (await this.#lookAnew(journal, true)).files : second.files;
    const still = files.map((file) => done.refused.find((one) => one.file.id === file.file.id) ?? file);
    const items = missing.length - refused.length;
    const report = await this.#report(journal, second, still, { ...counts, items, files: done.added }, refused);
    if (report.equal) journal.change({ finished: new Date(this.#context.clock()).toISOString() });
    return report;
  }

  async #look(journal: Journal, dryRun: boolean): Promise<Look> {
    const [source, destination] = await Promise.all([
      takeInventory(this.#sides.source),
      takeInventory(this.#sides.destination),
    ]);
    // A run before this one was killed: what it brought is known from here on.
    if (!dryRun) journal.settle(destination.entries, destination.folders);
    const found = differ(source.entries, destination.entries);
    const files = await missingFiles(this.#sides, found.pairs);
    return { source, destination, found, changed: changedThere(journal, found), files };
  }

  /** After a sync that fetches everything: what was acknowledged may still be lost. */
  async #lookAnew(journal: Journal, both: boolean): Promise<Look> {
    const { source, destination } = this.#sides;
    await Promise.all((both ? [source, destination] : [destination]).map((side) => this.#sync(side)));
    return this.#look(journal, false);
  }

  #sync(side: Side): Promise<void> {
    return this.#sides.patience.again(() => side.sync());
  }

  async #bring(
    journal: Journal,
    { destination }: Look,
    missing: readonly Entry[],
    folders: readonly string[],
  ): Promise<readonly Refused[]> {
    if (missing.length === 0 && folders.length === 0) return [];
    const known = destination.entries.map(({ id }) => id);
    const knownFolders = [...destination.folders.values()];
    const marks = missing.map(({ hash }) => journal.mark(hash));
    journal.change({ pending: { knownItems: known, knownFolders, marks, folders } });
    const bar = startBar(this.#context, "Bringing", missing.length, "items");
    try {
      const work = { side: this.#sides.destination, patience: this.#sides.patience, step: bar.step };
      return await new Bringing(work, new Set(known), destination.folders, folders).all(missing);
    } finally {
      bar.end();
    }
  }

  async #bringFiles(journal: Journal, { files }: Look): Promise<{ added: number; refused: readonly MissingFile[] }> {
    const bar = startBar(this.#context, "Bringing", files.length, "files");
    try {
      return await bringFiles(this.#sides, files, journal, bar.step);
    } finally {
      bar.end();
    }
  }

  async #report(
    journal: Journal,
    look: Look,
    files: readonly MissingFile[],
    counts: { readonly items: number; readonly files: number; readonly folders: number },
    refused: readonly Refused[],
  ): Promise<Omit<Migration, "took">> {
    const { from, to, dryRun, backup } = this.#wish;
    const { source, destination, found, changed } = look;
    const named = [
      ...nameDifferences(found, changed, refused),
      ...nameHidden(source),
      ...nameFiles(files),
      ...nameFolders(source, destination),
    ];
    return {
      ...{ from, to, source: this.#wish.source.kind, destination: this.#wish.destination.kind, dryRun, ...counts },
      equal: named.length === 0,
      tallies: tally(source, destination, found),
      differences: named,
      extra: found.extra.length,
      left: await leftBehind(this.#sides.source, source),
      backup: backup?.file ?? null,
      journal: dryRun ? null : journal.file,
    };
  }

  #spin<T>(text: string, work: () => Promise<T>): Promise<T> {
    return withSpinner(this.#context, text, work);
  }
}

/** Not what was brought before and changed there since, and no half of an item. */
function isToBring(entry: Entry, { changed }: Look): boolean {
  return !changed.has(entry) && entry.unreadable.length === 0;
}

function countFiles(missing: readonly Entry[], { files }: Look): number {
  return missing.reduce((sum, entry) => sum + entry.files.length, files.length);
}

/** By the journal: what it says was brought as it is in the source, and is another now. Bringing it again would double it. */
function changedThere(journal: Journal, { missing, extra }: Difference): Map<Entry, Entry> {
  const now = new Map(extra.map((entry) => [entry.id, entry]));
  const byMark = Map.groupBy(journal.now.items, ({ mark }) => mark);
  const changed = new Map<Entry, Entry>();
  for (const entry of missing) {
    const brought = byMark.get(journal.mark(entry.hash)) ?? [];
    const at = brought.findIndex(({ id }) => now.has(id));
    const [item] = at < 0 ? [] : brought.splice(at, 1);
    const other = item && now.get(item.id);
    if (other) changed.set(entry, other);
  }
  return changed;
}
