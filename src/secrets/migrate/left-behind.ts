import type { RawItem } from "./canonical.ts";
import type { Inventory } from "./inventory.ts";
import { SideRefusal } from "./patience.ts";
import type { Side } from "./side.ts";

/** What no client can move. */
export interface Left {
  readonly what: string;
  readonly count: number;
  readonly why: string;
  /** As bw shows them: where it does not show one, `count` is larger. */
  readonly names: readonly string[];
}

const WHY = {
  trash: "no export holds them; restore in the source what you want to keep",
  sends: "their links belong to the old server; make them again",
  shared: "they belong to the organization, whose owner exports and imports them",
  collections: "they belong to the organization, whose owner makes them again",
  dates: "the destination sets its own",
} as const;

/** What stays behind: counted by what the last sync brought, named where bw shows it, never silent. */
export async function leftBehind(side: Side, { trash, sends, shared, entries }: Inventory): Promise<Left[]> {
  const isMember = side.stored().organizations > 0;
  const collections = isMember ? await shown(() => side.collections()) : [];
  const companies = namesById(isMember ? await shown(() => side.organizations()) : []);
  const places = namesById(collections);
  const inTrash = trash > 0 ? await shown(() => side.trash()) : [];
  const sent = sends > 0 ? await shown(() => side.sends()) : [];
  const all: Left[] = [
    { what: "items in the trash", count: trash, why: WHY.trash, names: inTrash.map(({ name }) => name ?? "") },
    { what: "Sends", count: sends, why: WHY.sends, names: sent.map(({ name }) => name) },
    {
      ...{ what: "items of organizations", count: shared.count, why: WHY.shared },
      names: shared.items.map((item) => placed(item, companies, places)),
    },
    {
      ...{ what: "collections of organizations", count: collections.length, why: WHY.collections },
      names: collections.map(({ name, organizationId }) => `${companyOf(companies, organizationId)}: ${name}`),
    },
    { what: "dates of creation and change", count: entries.length, why: WHY.dates, names: [] },
  ];
  return all.filter(({ count }) => count > 0).map((one) => ({ ...one, names: [...one.names].sort() }));
}

function namesById(all: readonly { readonly id: string; readonly name: string }[]): ReadonlyMap<string, string> {
  return new Map(all.map(({ id, name }) => [id, name]));
}

/** Their number is known without bw: that it does not name them is no failure of the migration. */
async function shown<T>(ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SideRefusal) return [];
    throw error;
  }
}

function companyOf(companies: ReadonlyMap<string, string>, id: unknown): string {
  return companies.get(String(id)) ?? "an organization";
}

/** The item, its organization, and the collections where its owner finds it. */
function placed(item: RawItem, companies: ReadonlyMap<string, string>, places: ReadonlyMap<string, string>): string {
  const ids = Array.isArray(item.collectionIds) ? item.collectionIds : [];
  const collections = ids.flatMap((id) => places.get(String(id)) ?? []);
  const where = [
    companyOf(companies, item.organizationId),
    ...(collections.length > 0 ? [collections.join(", ")] : []),
  ];
  return `${item.name ?? ""} (${where.join(": ")})`;
}
