import type { Millis } from "@alai/core";
import type { MissingFile } from "./bring-files.ts";
import type { Refused } from "./bring-items.ts";
import { differingFields, typeName } from "./canonical.ts";
import { type Difference, lookAlike } from "./difference.ts";
import type { Entry, Inventory } from "./inventory.ts";
import type { Left } from "./left-behind.ts";
import type { ServerKind } from "./probe.ts";

/** Something that is not in the destination as it is in the source. Names, never values. */
export interface Named {
  readonly name: string;
  readonly type: string;
  readonly folder: string | null;
  readonly problem: "missing" | "different" | "changed there since" | "unreadable" | "file missing" | "folder missing";
  /** Which fields differ, or which file it is. */
  readonly what: readonly string[];
  readonly why: string | null;
}

/** How many of one kind, or in one folder. */
export interface Tally {
  readonly by: "type" | "folder";
  readonly name: string;
  readonly source: number;
  readonly destination: number;
  readonly same: number;
}

export interface Migration {
  readonly from: string;
  readonly to: string;
  readonly source: ServerKind;
  readonly destination: ServerKind;
  readonly dryRun: boolean;
  /** In a dry run: what would be. */
  readonly items: number;
  readonly files: number;
  readonly folders: number;
  readonly equal: boolean;
  readonly tallies: readonly Tally[];
  readonly differences: readonly Named[];
  /** Items that only the destination has: they are nobody's difference. */
  readonly extra: number;
  readonly left: readonly Left[];
  readonly backup: string | null;
  readonly journal: string | null;
  readonly took: Millis;
}

/** Every item of the source that has no equal, with the reason where one is known. */
export function nameDifferences(
  { missing, extra }: Difference,
  changed: ReadonlyMap<Entry, Entry>,
  refused: readonly Refused[],
): Named[] {
  const whys = new Map(refused.map(({ entry, why }) => [entry.id, why]));
  return missing.map((entry) => {
    const why = whys.get(entry.id) ?? null;
    if (entry.unreadable.length > 0) return named(entry, "unreadable", entry.unreadable, UNREADABLE);
    const other = changed.get(entry) ?? (why === null ? lookAlike(entry, extra) : undefined);
    if (!other) return named(entry, "missing", [], why);
    const problem = changed.has(entry) ? "changed there since" : "different";
    return named(entry, problem, differingFields(entry.canonical, other.canonical), null);
  });
}

const UNREADABLE = "bw cannot open it in the source; look at it in the web vault";

/** What bw has of the source and never shows. */
export function nameHidden({ hidden }: Inventory): Named[] {
  const why = "bw does not show it; look for it in the web vault";
  return hidden.map((id) => ({ name: id, type: "item", folder: null, problem: "unreadable", what: [], why }));
}

function named(entry: Entry, problem: Named["problem"], what: readonly string[], why: string | null): Named {
  return { name: entry.name, type: typeName(entry.type), folder: entry.folder, problem, what, why };
}

export function nameFiles(files: readonly MissingFile[]): Named[] {
  return files.map(({ source, file, why }) => named(source, "file missing", [file.fileName], why ?? null));
}

export function nameFolders(source: Inventory, destination: Inventory): Named[] {
  return [...source.folders.keys()]
    .filter((name) => !destination.folders.has(name))
    .map((name) => ({ name, type: "folder", folder: null, problem: "folder missing", what: [], why: null }));
}

/** Counts by kind, then by folder. */
export function tally(source: Inventory, destination: Inventory, { pairs }: Difference): Tally[] {
  const same = pairs.map(([entry]) => entry);
  const count = (by: Tally["by"], nameOf: (entry: Entry) => string) => {
    const [ours, theirs, equal] = [source.entries, destination.entries, same].map((all) => Map.groupBy(all, nameOf));
    return [...(ours ?? [])]
      .map(([name, { length }]): Tally => {
        const [there, alike] = [theirs?.get(name)?.length ?? 0, equal?.get(name)?.length ?? 0];
        return { by, name, source: length, destination: there, same: alike };
      })
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  };
  return [...count("type", ({ type }) => typeName(type)), ...count("folder", ({ folder }) => folder ?? "(no folder)")];
}
