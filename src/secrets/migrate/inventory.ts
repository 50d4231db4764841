import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { type Canonical, canonicalOf, hashOf, type RawFile, type RawItem } from "./canonical.ts";
import type { Side } from "./side.ts";
import { isCurrent, type Sealed, unreadableIn } from "./stored.ts";

/** An item of one side, and what makes it equal to one of the other. */
export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly type: number;
  readonly folder: string | null;
  readonly canonical: Canonical;
  readonly hash: string;
  readonly raw: RawItem;
  readonly files: readonly RawFile[];
  /** Texts that bw cannot open: what it shows of the item is not the item. */
  readonly unreadable: readonly string[];
}

/** What one side has, as of its last sync. */
export interface Inventory {
  readonly entries: readonly Entry[];
  /** Ids of items that bw has and does not show. */
  readonly hidden: readonly string[];
  /** Items of organizations: they are not the person's to move. `count` is of what bw has, also where it shows fewer. */
  readonly shared: { readonly count: number; readonly items: readonly RawItem[] };
  readonly trash: number;
  readonly sends: number;
  /** Ids by name; of two folders of one name the first. */
  readonly folders: ReadonlyMap<string, string>;
}

export async function takeInventory(side: Side): Promise<Inventory> {
  const { stored, items, folders, hidden } = await shown(side);
  const names = new Map(folders.map(({ id, name }) => [id, name]));
  const own = items.filter((item) => !item.organizationId);
  return {
    entries: own.map((item) => toEntry(item, names.get(item.folderId ?? "") ?? null, stored.items.get(item.id))),
    hidden,
    shared: {
      count: [...stored.items.values()].filter(({ organizationId }) => organizationId).length,
      items: items.filter(({ organizationId }) => organizationId),
    },
    trash: stored.trash,
    sends: stored.sends,
    folders: new Map([...folders].reverse().map(({ id, name }) => [name, id])),
  };
}

const PATIENCE: Millis = 20_000;
/** On a machine that is busy with something else a look alone takes seconds. */
const LEAST_LOOKS = 20;
const PAUSE: Millis = 250;

/**
 * For a moment after a sync bw may show none of its items or folders (seen with 2026.9.0, signed in by an API key); taken at its word, an
 * empty source would be equal to anything. So what it shows must be what it has.
 */
async function shown(side: Side) {
  for (let [start, looks] = [monotonic(), 1]; ; looks++) {
    const [items, folders, stored] = [await side.items(), await side.folders(), side.stored()];
    const current = items.filter((item) => isCurrent(stored.items.get(item.id), item));
    const seen = new Set(items.map(({ id }) => id));
    // What an organization that is switched off has, nobody can open: it is counted, and not waited for.
    const hidden = [...stored.items].filter(([id, one]) => !seen.has(id) && !one.organizationId).map(([id]) => id);
    const lacksFolder = stored.folders.some((id) => !folders.some((folder) => folder.id === id));
    const isLate = current.length < items.length || lacksFolder;
    if (hidden.length === 0 && !isLate) return { stored, items, folders, hidden };
    if (looks >= LEAST_LOOKS && monotonic() - start > PATIENCE) {
      if (!isLate) return { stored, items, folders, hidden };
      throw new Exit(
        EXIT.unavailable,
        "bw_unknown",
        `bw does not show what it has of ${side.server}.`,
        "Type the same command again; use a bw that alai was tested with: 2026.9.",
      );
    }
    await sleep(PAUSE);
  }
}

function toEntry(raw: RawItem, folder: string | null, sealed: Sealed = {}): Entry {
  const canonical = canonicalOf(raw, folder);
  const { id, type, attachments } = raw;
  const unreadable = unreadableIn(sealed, raw);
  return {
    ...{ id, type, name: raw.name ?? "", folder, canonical, raw, unreadable },
    hash: hashOf(canonical),
    files: attachments ?? [],
  };
}
