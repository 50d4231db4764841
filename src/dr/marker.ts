import { randomUUID } from "node:crypto";
import type { Millis } from "@alai/core";
import type { StorageSpec } from "./manifest/model.ts";
import { type Storage, StorageError } from "./storage/storage.ts";

/** By this object a storage is told from another one that came into its place: an empty mount point, a container made anew. */
export const MARKER_KEY = "_alai/storage.json";

/**
 * How often a host looks whether it is still the same storage, where nothing in a listing makes one doubt it. A read of a service costs
 * money; a folder, whose disk may be unmounted, is looked at whenever it is read who may write: 0.
 */
export function markerInterval(type: StorageSpec["type"]): Millis {
  return type === "file" ? 0 : 60_000;
}

/** What makes a storage itself. Not part of who is the primary, which people write by hand at a failover. */
export interface Marker {
  readonly id: string;
  /** Ids that it stands for: whoever remembers one of these was told by a person to take this storage instead. */
  readonly replaces: readonly string[];
  /** Nothing older than this was ever proven of what is here; null: it had replicas before it had a marker. */
  readonly since: Millis | null;
  /** When a person last said that what it has is what counts; null: never. */
  readonly acceptedAt: Millis | null;
}

export interface FoundMarker extends Marker {
  readonly etag: string;
}

/** The same for everyone whose manifest names the same place, without its secrets. */
export function addressOf(spec: StorageSpec): string {
  const parts = Object.entries(spec).filter(([, value]) => value !== null && value !== "");
  return parts
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(" ");
}

/** @returns null: there is none. Throws StorageError; `failed` also for one that is not understood. */
export async function readMarker(storage: Storage): Promise<FoundMarker | null> {
  try {
    const { body, etag } = await storage.read(MARKER_KEY);
    const marker = parsed(Buffer.from(body).toString("utf8"));
    if (marker) return { ...marker, etag };
  } catch (error) {
    if (error instanceof StorageError && error.trouble === "missing") return null;
    throw error;
  }
  throw new StorageError(
    "failed",
    `${MARKER_KEY} of ${storage.label} cannot be understood: which storage it is is not known.`,
  );
}

/** The marker of a storage that has none: of many who begin at once all get the one that is there then. Throws StorageError. */
export async function beginMarker(storage: Storage, now: Millis): Promise<Marker> {
  const hasReplicas = (await storage.list("e")).some(({ key }) => key.endsWith(".ltx"));
  const marker = { id: randomUUID(), replaces: [], since: hasReplicas ? null : now, acceptedAt: null };
  return writeMarker(storage, marker, null);
}

/**
 * What a person says: this storage is to be used from now on, with what it has. Every host that remembers `remembered`, or the id that
 * it had, takes it for the one that it was; the storage of before is another one for them from then on. Throws StorageError.
 * @param remembered the id of the one that was used; null: none is known. @param now UTC ms.
 */
export async function acceptStorage(storage: Storage, remembered: string | null, now: Millis): Promise<Marker> {
  const found = await readMarker(storage);
  if (found && (remembered === null || found.id === remembered || found.replaces.includes(remembered)))
    return writeMarker(storage, { ...found, acceptedAt: now }, found);
  const replaces = [remembered, found?.id, ...(found?.replaces ?? [])].filter((id) => id != null);
  return writeMarker(storage, { id: randomUUID(), replaces, since: now, acceptedAt: now }, found);
}

/** Writes it where what is there is still what was seen. @returns what is there then. Throws StorageError. */
export async function writeMarker(storage: Storage, marker: Marker, seen: FoundMarker | null): Promise<Marker> {
  const { id, replaces, since, acceptedAt } = marker;
  const text = `${JSON.stringify({ id, replaces, since, acceptedAt })}\n`;
  try {
    await storage.write(MARKER_KEY, Buffer.from(text), { etag: seen?.etag ?? null });
    return marker;
  } catch (error) {
    // Another one was quicker, or the answer was lost.
    const found = await readMarker(storage).catch(() => null);
    if (found && (seen === null || (found.id === id && found.acceptedAt === acceptedAt))) return found;
    throw error;
  }
}

function parsed(text: string): Marker | null {
  const { id, replaces = [], since = null, acceptedAt = null } = fieldsOf(text);
  if (typeof id !== "string" || id === "" || !Array.isArray(replaces)) return null;
  const time = (value: unknown) => (typeof value === "number" ? value : null);
  return { id, replaces: replaces.map(String), since: time(since), acceptedAt: time(acceptedAt) };
}

function fieldsOf(text: string): Partial<Record<keyof Marker, unknown>> {
  try {
    return Object(JSON.parse(text)) as Partial<Record<keyof Marker, unknown>>;
  } catch {
    return {};
  }
}
