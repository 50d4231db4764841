import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { type Canonical, canonicalOf, hashOf, type RawFile, type RawItem } from "./canonical.ts";
import type { Side } from "./side.ts";
import { type Sealed, unreadableIn } from "./stored.ts";

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
  /** Items of organizations: they are not the person's to move. */
  readonly shared: number;
  readonly trash: number;
  readonly sends: number;
  /** Ids by name; of two folders of one name the first. */
  readonly folders: ReadonlyMap<string, string>;
}

export async function takeInventory(side: Side): Promise<Inventory> {
  const { stored, items, hidden } = await shownItems(side);
  const folders = await side.folders();
  const names = new Map(folders.map(({ id, name }) => [id, name]));
  const own = items.filter((item) => !item.organizationId);
  return {
    entries: own.map((item) => toEntry(item, names.get(item.folderId ?? "") ?? null, stored.items.get(item.id))),
    hidden,
    shared: items.filter((item) => item.organizationId).length,
    trash: stored.trash,
    sends: stored.sends,
    folders: new Map([...folders].reverse().map(({ id, name }) => [name, id])),
  };
}

const PATIENCE: Millis = 20_000;
const PAUSE: Millis = 250;

/**
 * For a moment after a sync bw may show none of its items (seen with 2026.9.0, signed in by an API key); taken at its word, an
 * empty source would be equal to anything. So what it shows must be what it has.
 */
async function shownItems(side: Side) {
  for (const start = monotonic(); ; ) {
    const [items, stored] = [await side.items(), side.stored()];
    const shown = new Set(items.map(({ id }) => id));
    const hidden = [...stored.items.keys()].filter((id) => !shown.has(id));
    const unknown = items.filter(({ id }) => !stored.items.has(id));
    if (hidden.length + unknown.length === 0) return { stored, items, hidden };
    if (monotonic() - start > PATIENCE) {
      if (unknown.length === 0) return { stored, items, hidden };
      throw new Exit(
        EXIT.unavailable,
        "bw_unknown",
        `bw shows items of ${side.server} that it does not have.`,
        "Use a bw that alai was tested with: 2026.9.",
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
