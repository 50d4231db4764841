import { randomUUID } from "node:crypto";
import type { Millis } from "@alai/core";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import type { Manifest } from "./manifest/model.ts";
import { type Contents, type Storage, StorageError } from "./storage/storage.ts";

/** Where storage keeps who is the primary: one small object, changed only by who has seen it as it is. */
export const PRIMARY_KEY = "_alai/primary.json";

/**
 * Who may write, by storage itself. The epoch rises by one whenever another host takes over, and is the beginning of its replicas'
 * paths: what an old primary still sends ends up beside the new one's replicas, never in them.
 */
export interface Primary {
  readonly epoch: number;
  /** A host of the manifest. */
  readonly owner: string;
  /** `promoting`: it has taken the epoch and does not serve yet. */
  readonly state: "primary" | "promoting";
}

/** As it was read; `etag` null: storage has none yet, and what the manifest says holds. */
export interface KnownPrimary extends Primary {
  readonly etag: string | null;
}

/** As storage says it now. */
export interface FoundPrimary extends KnownPrimary {
  /** When the owner took the epoch, by storage's clock; null: nobody ever took over, or storage does not say. */
  readonly since: Millis | null;
}

/** Of every fleet that never failed over. */
const FIRST_EPOCH = 1;

/**
 * Throws StorageError; `failed` also for an object that is not understood, or names a host that the manifest has not, because guessing
 * would make two primaries.
 */
export async function readPrimary(storage: Storage, manifest: Pick<Manifest, "hosts">): Promise<FoundPrimary> {
  const found = await readObject(storage);
  if (found) {
    const primary = parsed(found.text, storage.label);
    requireKnown(primary, manifest, storage.label);
    return { ...primary, etag: found.etag, since: primary.epoch > FIRST_EPOCH ? found.modified : null };
  }
  const owner = manifest.hosts.find(({ role }) => role === "primary")?.name ?? "";
  return { epoch: FIRST_EPOCH, owner, state: "primary", etag: null, since: null };
}

function requireKnown({ owner }: Primary, { hosts }: Pick<Manifest, "hosts">, label: string): void {
  if (hosts.some(({ name }) => name === owner)) return;
  const names = hosts.map(({ name }) => name).join(", ");
  throw new StorageError(
    "failed",
    `${PRIMARY_KEY} of ${label} says that ${owner} is the primary, and the manifest has no host ${owner} (its hosts are ${names}): put right whichever of them is wrong. Until then what runs goes on.`,
  );
}

/** Where the replicas of an epoch are, below the storage's prefix. */
export function epochPrefix(epoch: number): string {
  return `e${epoch}/`;
}

/**
 * Replaces the object if it still is what `known` says: of many who try at once one succeeds, and the others get `conflict`. An
 * answer that was lost is made up for by a look whether the write is there. Throws StorageError.
 * @param next a later epoch, or the same one of the same owner.
 */
export async function writePrimary(storage: Storage, known: KnownPrimary, next: Primary): Promise<KnownPrimary> {
  const isSame = next.epoch === known.epoch && next.owner === known.owner;
  if (!isSame && !(Number.isSafeInteger(next.epoch) && next.epoch > known.epoch))
    throw new Exit(EXIT.refused, "epoch", `Another owner than ${known.owner} needs a later epoch than ${known.epoch}.`);
  // Nobody else writes this text: whoever finds it knows whose write it was.
  const { epoch, owner, state } = next;
  const text = `${JSON.stringify({ epoch, owner, state, id: randomUUID() })}\n`;
  try {
    const etag = await storage.write(PRIMARY_KEY, Buffer.from(text), { etag: known.etag });
    return { epoch, owner, state, etag };
  } catch (error) {
    const found = await readObject(storage).catch(() => null);
    if (found?.text === text) return { epoch, owner, state, etag: found.etag };
    throw error;
  }
}

async function readObject(storage: Storage): Promise<(Omit<Contents, "body"> & { readonly text: string }) | null> {
  try {
    const { body, ...rest } = await storage.read(PRIMARY_KEY);
    return { text: Buffer.from(body).toString("utf8"), ...rest };
  } catch (error) {
    if (error instanceof StorageError && error.trouble === "missing") return null;
    throw error;
  }
}

function parsed(text: string, label: string): Primary {
  const { epoch, owner, state } = fieldsOf(text);
  if (
    Number.isSafeInteger(epoch) &&
    Number(epoch) >= FIRST_EPOCH &&
    typeof owner === "string" &&
    owner !== "" &&
    (state === "primary" || state === "promoting")
  )
    return { epoch: Number(epoch), owner, state };
  throw new StorageError("failed", `${PRIMARY_KEY} of ${label} cannot be understood: who is the primary is not known.`);
}

function fieldsOf(text: string): Partial<Record<keyof Primary, unknown>> {
  try {
    return Object(JSON.parse(text)) as Partial<Record<keyof Primary, unknown>>;
  } catch {
    return {};
  }
}
