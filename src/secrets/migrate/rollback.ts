import { setTimeout as sleep } from "node:timers/promises";
import { startBar } from "../../kit/bar.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { typeName } from "./canonical.ts";
import { type Entry, type Inventory, takeInventory } from "./inventory.ts";
import { type AddedItem, Journal } from "./journal.ts";
import { type Patience, SideRefusal } from "./patience.ts";
import type { Side } from "./side.ts";
import type { Key } from "./sign-in.ts";
import { withSides } from "./two-sides.ts";

/** What was added and stays, because it is no longer what was added. */
export interface Kept {
  readonly name: string;
  readonly type: string;
  readonly folder: string | null;
  readonly why: string;
}

export interface Rollback {
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
  readonly items: number;
  readonly files: number;
  readonly folders: number;
  /** Was gone already. */
  readonly gone: number;
  readonly kept: readonly Kept[];
}

/** Puts into the destination's trash what migrations from this source added, and nothing that was touched since. */
export function rollBack(
  context: Context,
  { from, to, key, dryRun }: { from: string; to: string; key: Key; dryRun: boolean },
): Promise<Rollback> {
  return withSides(context, [{ role: "destination", server: to, key }], async ([side], patience) => {
    if (!side) throw new Error("the side is missing");
    const { userId } = await side.account();
    const journal = await Journal.open(context, from, to, userId, key.password);
    const inventory = await takeInventory(side);
    journal.settle(inventory.entries, inventory.folders);
    const { items, files, folders } = journal.now;
    if (items.length + files.length + folders.length === 0)
      throw new Exit(
        EXIT.refused,
        "nothing_to_roll_back",
        `This machine has not brought anything from ${from} to ${to}, or has taken it all back.`,
        "The journal is kept where the migration ran; run it there.",
      );
    const plan = planOf(journal, inventory);
    const still = dryRun ? new Set() : await carryOut(context, { side, patience, journal }, plan);
    const { gone } = plan;
    const remove = plan.remove.filter(({ id }) => !still.has(id));
    const left = inventory.entries.filter(({ id }) => still.has(id));
    const kept = [...plan.kept, ...left.map((entry) => keptFor(entry, "it is still there; type the same again"))];
    return {
      from,
      to,
      dryRun,
      items: remove.length,
      files: plan.files.length,
      folders: plan.folders.length,
      gone,
      kept,
    };
  });
}

interface Plan {
  readonly remove: readonly AddedItem[];
  readonly files: readonly { readonly item: string; readonly file: string }[];
  readonly folders: readonly string[];
  readonly gone: number;
  readonly kept: readonly Kept[];
}

function planOf(journal: Journal, { entries, folders }: Inventory): Plan {
  const there = new Map(entries.map((entry) => [entry.id, entry]));
  const ours = new Set(journal.now.items.map(({ id }) => id));
  const brought = new Set(journal.now.files.map(({ file }) => file));
  const found = journal.now.items.flatMap((item) => {
    const entry = there.get(item.id);
    return entry ? [{ item, entry, why: touched(journal, item, entry, brought) }] : [];
  });
  const remove = found.filter(({ why }) => why === null).map(({ item }) => item);
  const removed = new Set(remove.map(({ id }) => id));
  const stays = entries.filter(({ id }) => !removed.has(id));
  const inUse = new Set(stays.map(({ folder }) => folder));
  const empty = new Set([...folders].filter(([name]) => !inUse.has(name)).map(([, id]) => id));
  return {
    remove,
    // Those of items that go, go with them.
    files: journal.now.files.filter(({ item, file }) => !ours.has(item) && hasFile(there.get(item), file)),
    folders: journal.now.folders.filter((id) => empty.has(id)),
    gone: journal.now.items.length - found.length,
    kept: found.flatMap(({ entry, why }) => (why === null ? [] : [keptFor(entry, why)])),
  };
}

function keptFor({ name, type, folder }: Entry, why: string): Kept {
  return { name, type: typeName(type), folder, why };
}

/** Why an item is not what was added; null when it is. */
function touched(journal: Journal, item: AddedItem, entry: Entry, brought: ReadonlySet<string>): string | null {
  if (journal.mark(entry.hash) !== item.mark) return "it was changed there since";
  if (entry.files.some(({ id }) => !brought.has(id))) return "a file was added to it there";
  return null;
}

function hasFile(entry: Entry | undefined, file: string): boolean {
  return entry?.files.some(({ id }) => id === file) ?? false;
}

/** @returns ids of items that are there still. */
async function carryOut(
  context: Context,
  { side, patience, journal }: { side: Side; patience: Patience; journal: Journal },
  { remove, files, folders }: Plan,
): Promise<ReadonlySet<string>> {
  const bar = startBar(context, "Taking back", remove.length, "items");
  const done = new Set<string>();
  const each = async (id: string, work: () => Promise<void>) => {
    await patience.again(() => unlessGone(work));
    done.add(id);
    bar.step(done.size);
  };
  try {
    for (const { id } of remove) await each(id, () => side.remove(id));
    for (const { item, file } of files) await each(file, () => side.removeFile(item, file));
    for (const id of folders) await each(id, () => side.removeFolder(id));
  } finally {
    bar.end();
  }
  await patience.again(() => side.sync());
  const there = side.stored().items;
  const still = new Set(remove.map(({ id }) => id).filter((id) => there.has(id)));
  for (const id of still) done.delete(id);
  const { now } = journal;
  // Only here: killed before, it is run again, and finds what is gone already.
  journal.change({
    items: now.items.filter(({ id }) => !done.has(id)),
    files: now.files.filter(({ item, file }) => !done.has(item) && !done.has(file)),
    folders: now.folders.filter((id) => !done.has(id)),
    finished: null,
  });
  return still;
}

/** bw may not find for a moment what it has, so it is asked again; what is there at the end is said in any case. */
async function unlessGone(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SideRefusal && /not found/i.test(error.message))) throw error;
      if (tries >= TRIES) return;
      await sleep(200);
    }
  }
}

const TRIES = 5;
