import { randomBytes } from "node:crypto";
import {
  type Backend,
  keepKey,
  keyId,
  type Marker,
  type Place,
  readKey,
  readMarker,
  removeKey,
  sealedFile,
  sealedNames,
  setAside,
  tidy,
  writeMarker,
} from "./place.ts";
import { readPrivate, writePrivate } from "./private-file.ts";
import { boundTo, KEY_BYTES, SealBroken, seal, unseal } from "./seal.ts";

/** How settling went. */
export interface Settled {
  readonly key: Uint8Array;
  /** Files that no key opens, by their new names. */
  readonly lost: readonly string[];
}

/**
 * Brings a place to one key in the backend that is wanted, whatever state a killed process left it in. A key that is there is
 * used again. The order is such that every file opens with a key of the marker's backend or of its `from` at any moment.
 * The lock `store` must be held. Throws Exit 4 when the wanted backend is of no use; then nothing has changed.
 */
export async function settle(place: Place, wanted: Backend): Promise<Settled> {
  const before = knownBackend(place, wanted);
  const key = (await readKey(place, wanted)) ?? (await makeKey(place, wanted));
  const marker: Marker = { backend: wanted, key: keyId(key) };
  const old = before && (await readKey(place, before).catch(() => null));
  if (before) writeMarker(place, { ...marker, from: before });
  const lost = reseal(place, key, old);
  // What did not answer keeps its key: it may be the one of what was set aside.
  if (before && old) await removeKey(place, before).catch(() => {});
  writeMarker(place, marker);
  tidy(place);
  return { key, lost };
}

/** The other backend, when files may be sealed with its key. */
function knownBackend(place: Place, wanted: Backend): Backend | null {
  try {
    const marker = readMarker(place);
    return (marker?.backend === wanted ? marker.from : marker?.backend) ?? null;
  } catch {
    // A marker that says nothing: whatever the wanted key does not open is set aside.
    return null;
  }
}

async function makeKey(place: Place, wanted: Backend): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  await keepKey(place, wanted, key);
  return key;
}

function reseal(place: Place, key: Uint8Array, old: Uint8Array | null): string[] {
  return sealedNames(place).flatMap((name) => {
    const file = sealedFile(place, name);
    const bound = boundTo(place.profile, name);
    const sealed = readPrivate(file);
    if (!sealed || opened(key, bound, sealed)) return [];
    const plain = old && opened(old, bound, sealed);
    if (!plain) return [setAside(place, name)];
    writePrivate(file, seal(key, bound, plain));
    return [];
  });
}

function opened(key: Uint8Array, bound: string, sealed: Uint8Array): Buffer | null {
  try {
    return unseal(key, bound, sealed);
  } catch (error) {
    if (error instanceof SealBroken) return null;
    throw error;
  }
}
