import { type Millis, toIso } from "@alai/core";
import { newestTxid } from "../ltx/name.ts";
import type { Manifest } from "../manifest/model.ts";
import {
  addressOf,
  beginMarker,
  type FoundMarker,
  MARKER_KEY,
  type Marker,
  markerInterval,
  readMarker,
} from "../marker.ts";
import { type Storage, StorageError } from "../storage/storage.ts";
import type { Listed } from "./listing.ts";
import { type Log, sentenceOf } from "./log.ts";
import type { AgentState } from "./state.ts";

export interface KnownStorageOptions {
  readonly manifest: Pick<Manifest, "storage">;
  readonly host: { readonly name: string };
  readonly storage: Storage;
  readonly state: AgentState;
  readonly log: Log;
  readonly clock: () => Millis;
  /** For spans. */
  readonly monotonic: () => Millis;
}

/** The storage that a host remembers by the id in its marker. */
export interface Remembered {
  readonly id: string;
  /** When it was last seen, by the host's clock. */
  readonly seenAt: Millis;
}

/** Under what name a host keeps in its state which storage is at an address. */
export function memoryOf(manifest: Pick<Manifest, "storage">): string {
  return `storage ${addressOf(manifest.storage)}`;
}

/**
 * Whether storage is the one that it was: an unmounted disk leaves an empty folder in its place, which Litestream fills, and a
 * container may be made anew. Told by a marker with a random id, which this host remembers for each address.
 */
export class KnownStorage {
  readonly #options: KnownStorageOptions;
  readonly #memory: string;
  readonly #again: Millis;
  /** By the monotonic clock. */
  #checkedAt: Millis = Number.NEGATIVE_INFINITY;
  #marker: Marker | null = null;
  #foreign: { readonly since: Millis; readonly trouble: string; readonly message: string } | null = null;
  /** The newest TXIDs of the last listing that was of this storage. */
  #newest: ReadonlyMap<string, number> | null = null;

  constructor(options: KnownStorageOptions) {
    this.#options = options;
    this.#memory = memoryOf(options.manifest);
    this.#again = markerInterval(options.manifest.storage.type);
  }

  /** What it says of itself; null: it has no marker yet. */
  get marker(): Marker | null {
    return this.#marker;
  }

  /** That it is another one, as trouble with storage; null: it is the one that it was. */
  get trouble(): { readonly since: Millis; readonly trouble: string; readonly message: string } | null {
    return this.#foreign;
  }

  /**
   * Looks, unless that was done a moment ago. @param mayBegin whether this host may make the marker of a storage that nobody has used
   * yet. @returns why it is another one, a sentence; null: it is not. Throws StorageError where it does not say.
   */
  async look({ mayBegin = false, now = false } = {}): Promise<string | null> {
    const { storage, state, monotonic, clock } = this.#options;
    if (!now && !this.#foreign && monotonic() - this.#checkedAt < this.#again) return null;
    const known = state.recall<Remembered>("", this.#memory);
    const found = (await readMarker(storage)) ?? (known === null && mayBegin ? await this.#begin() : null);
    const why = known === null ? null : this.#whyOther(known, found);
    if (why === null) {
      if (found) state.keep([{ name: "", kind: this.#memory, value: { id: found.id, seenAt: clock() } }]);
      this.#marker = found;
      this.#foreign = null;
    } else this.#foreign = { since: this.#foreign?.since ?? clock(), trouble: "foreign", message: why };
    this.#checkedAt = found ? monotonic() : Number.NEGATIVE_INFINITY;
    return why;
  }

  /**
   * Whether a listing shows less than the last one did, or no whole image: reason to look whether it is the same storage. So is, for who
   * only copies, that there was no marker yet.
   */
  isDoubtful({ replicas }: Listed): boolean {
    if (this.#newest === null || this.#marker === null) return true;
    for (const [name, newest] of this.#newest) if (newestTxid(replicas.get(name) ?? []) < newest) return true;
    return [...replicas.values()].some((files) => !files.some(({ min }) => min === 1));
  }

  /** The listing is of the storage that it was. */
  listed({ replicas }: Listed): void {
    this.#newest = new Map([...replicas].map(([name, files]) => [name, newestTxid(files)]));
  }

  /** Another part, or none: nothing was listed for it yet. */
  forgetListing(): void {
    this.#newest = null;
  }

  #whyOther({ id, seenAt }: Remembered, found: Marker | FoundMarker | null): string | null {
    if (found?.id === id) return null;
    if (found?.replaces.includes(id)) {
      this.#options.log.warn("another storage was accepted in place of the one that was", { storage: found.id });
      return null;
    }
    const what =
      found === null ? `its marker (${MARKER_KEY}) is missing` : `its marker (${MARKER_KEY}) is another one's`;
    const { storage, host } = this.#options;
    return `What is at ${storage.label} is not the storage that was used until ${toIso(seenAt)}: ${what}. Nothing is sent to it. Mount or bring back the right one, and all goes on; or begin anew on this one: alai dr storage accept --host ${host.name}`;
  }

  /** Without a marker replication goes on as well: it is made later. */
  async #begin(): Promise<Marker | null> {
    const { storage, clock, log } = this.#options;
    try {
      return await beginMarker(storage, clock());
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      log.warn("storage has no marker yet", { reason: sentenceOf(error) });
      return null;
    }
  }
}
