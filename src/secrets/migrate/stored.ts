/** An item as bw keeps it on its disk: every text in it is encrypted. */
export type Sealed = Readonly<Record<string, unknown>>;

/** What the last sync brought, before bw opens any of it. */
export interface Stored {
  /** Outside the trash, by id. */
  readonly items: ReadonlyMap<string, Sealed>;
  /** Ids. */
  readonly folders: readonly string[];
  readonly trash: number;
  readonly sends: number;
  /** That the person is a member of. */
  readonly organizations: number;
}

/** Reads bw's own data.json: it says what bw has, whatever bw then manages to show. */
export function storedIn(data: string | null): Stored {
  const all = JSON.parse(data ?? "{}") as Record<string, Record<string, Sealed> | null>;
  const part = (name: string) => Object.entries(all).find(([key]) => key.endsWith(name))?.[1] ?? {};
  const ciphers = Object.entries(part("_ciphers_ciphers"));
  const items = new Map(ciphers.filter(([, { deletedDate }]) => !deletedDate));
  return {
    items,
    folders: Object.keys(part("_folder_folders")),
    trash: ciphers.length - items.size,
    organizations: Object.keys(part("_organizations_organizations")).length,
    sends: Object.keys(part("_encryptedSend_sendUserEncrypted")).length,
  };
}

/** True when bw shows this item as it is stored, and not as it was before the last sync. */
export function isCurrent(sealed: Sealed | undefined, shown: Readonly<Record<string, unknown>>): boolean {
  if (!sealed) return false;
  const [stored, seen] = [sealed, shown].map(({ revisionDate }) => Date.parse(String(revisionDate)));
  return stored === seen || (Number.isNaN(stored) && Number.isNaN(seen));
}

/** Encrypted, and longer than one block: so it does not hold an empty text. */
const FILLED = /^2\.[^|]+\|([^|]{25,})\|/;
/** Wrapped keys and checksums are no texts of the person's; files are compared by their bytes. */
const NO_TEXT = new Set(["key", "uriChecksum", "attachments"]);

/** Which texts bw could not open: it shows them as if they were empty. */
export function unreadableIn(sealed: Sealed, shown: Readonly<Record<string, unknown>>, prefix = ""): string[] {
  return Object.entries(sealed).flatMap(([name, value]) => {
    if (NO_TEXT.has(name)) return [];
    const plain = shown[name];
    if (typeof value === "string") return FILLED.test(value) && isEmpty(plain) ? [`${prefix}${name}`] : [];
    if (typeof value !== "object" || value === null) return [];
    const inner = typeof plain === "object" && plain !== null ? plain : {};
    return unreadableIn(value as Sealed, inner as Record<string, unknown>, `${prefix}${name}.`);
  });
}

function isEmpty(plain: unknown): boolean {
  return plain === undefined || plain === null || plain === "";
}
