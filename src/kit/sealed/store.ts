import { closeSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { StoreError } from "@alai/core";
import type { Context } from "../context.ts";
import { Exit } from "../errors.ts";
import { EXIT } from "../exit.ts";
import { withLock } from "../lock.ts";
import { settle } from "./change.ts";
import { systemKeychain } from "./keychain.ts";
import {
  type Backend,
  keyFile,
  keyId,
  type Place,
  placeOf,
  readKey,
  readMarker,
  removeKey,
  sealedFile,
  sealedNames,
  wipe,
} from "./place.ts";
import { diskFull, privateFolder, readPrivate, reservePrivate } from "./private-file.ts";
import { boundTo, SealBroken, seal, unseal } from "./seal.ts";

export type { Backend } from "./place.ts";

/** Secrets of one profile on this disk, each in a sealed file. */
export interface SealedStore {
  readonly backend: Backend;
  /** Null when there is none. Throws Exit 4 when it does not open. */
  read(name: string): Buffer | null;
  /** Throws Exit 69 when the disk is full, or when the key was changed or removed since this store was opened. */
  write(name: string, plain: Uint8Array): void;
  /** Takes room for up to `size` bytes, for a write that must not fail. */
  reserve(name: string, size: number): Reserved;
  remove(name: string): void;
  /** Runs `body` while no other process does, for the same profile. @param limit milliseconds to wait; then Exit 69. */
  locked<T>(name: string, body: () => T | Promise<T>, limit?: number): Promise<T>;
}

/** Room for one write. */
export interface Reserved {
  write(plain: Uint8Array): void;
  /** Does nothing after the write. */
  giveBack(): void;
}

/**
 * Opens the store of a profile; null when there is none. Throws Exit 4 when the keychain does not answer, or no longer has the
 * key of what is sealed: never a silent fall back to another place.
 */
export async function openSealed(
  context: Context,
  profile: string,
  keychain = systemKeychain(context),
): Promise<SealedStore | null> {
  const place = placeOf(context, profile, keychain);
  const marker = readMarker(place);
  if (marker === null) return null;
  // A process that was changing the key was killed, or is at it.
  if (marker.from) return makeSealed(context, profile, marker.backend === "file", keychain);
  const key = await readKey(place, marker.backend);
  if (key) return new Store(place, marker.backend, key);
  if (readMarker(place)?.key !== marker.key) return openSealed(context, profile, keychain);
  if (sealedNames(place).length === 0) return null;
  throw keyLost(place, marker.backend);
}

/** The backend as its marker says, without asking the keychain; null when nothing was ever kept for this profile. */
export function storedBackend(context: Context, profile: string): Backend | null {
  return readMarker(placeOf(context, profile, systemKeychain(context)))?.backend ?? null;
}

/** Where the key of a profile is when no keychain has it. */
export function storedKeyFile(context: Context, profile: string): string {
  return keyFile(placeOf(context, profile, systemKeychain(context)));
}

/**
 * Opens the store of a profile, or makes it: a new key is written and read back first, so that nobody signs in for nothing.
 * What is sealed already comes along when the key moves; what no key opens is set aside, and said.
 * @param insecure keep the key in a file. Throws Exit 4 with the remedy when the keychain is of no use.
 */
export async function makeSealed(
  context: Context,
  profile: string,
  insecure: boolean,
  keychain = systemKeychain(context),
): Promise<SealedStore> {
  const place = placeOf(context, profile, keychain);
  const wanted: Backend = insecure ? "file" : "keychain";
  for (const folder of [dirname(place.folder), place.folder]) privateFolder(folder);
  const { key, lost } = await locked(place, "store", () => settle(place, wanted));
  if (lost.length > 0)
    context.warn(
      `the key of what was sealed before is lost; set aside in ${place.folder}: ${lost.join(", ")}. Remove them when you miss nothing`,
    );
  return new Store(place, wanted, key);
}

/** Removes all sealed files of a profile, and its key. The files are gone also when the keychain does not answer: Exit 4 then. */
export async function removeSealed(
  context: Context,
  profile: string,
  keychain = systemKeychain(context),
): Promise<void> {
  const place = placeOf(context, profile, keychain);
  const marker = readMarker(place);
  wipe(place);
  if (marker?.backend === "keychain" || marker?.from === "keychain") await removeKey(place, "keychain");
}

/** Removes all sealed files of a profile without asking the keychain, whose key opens nothing then. */
export function removeSealedFiles(context: Context, profile: string): void {
  wipe(placeOf(context, profile, systemKeychain(context)));
}

class Store implements SealedStore {
  readonly backend: Backend;
  readonly #place: Place;
  readonly #key: Uint8Array;

  constructor(place: Place, backend: Backend, key: Uint8Array) {
    this.#place = place;
    this.backend = backend;
    this.#key = key;
  }

  read(name: string): Buffer | null {
    const file = sealedFile(this.#place, name);
    const sealed = readPrivate(file);
    if (!sealed) return null;
    try {
      return unseal(this.#key, boundTo(this.#place.profile, name), sealed);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      const hint = `Type ${this.#place.login()}.`;
      throw new Exit(EXIT.signIn, "seal_broken", `${file} does not open: ${error.message}.`, hint);
    }
  }

  write(name: string, plain: Uint8Array): void {
    this.reserve(name, 0).write(plain);
  }

  reserve(name: string, size: number): Reserved {
    this.#requireSameKey();
    const room = reservePrivate(sealedFile(this.#place, name), size === 0 ? 0 : size + SEAL_OVERHEAD);
    return {
      giveBack: room.giveBack,
      write: (plain) => {
        try {
          this.#requireSameKey();
        } catch (error) {
          room.giveBack();
          throw error;
        }
        room.fill(seal(this.#key, boundTo(this.#place.profile, name), plain));
      },
    };
  }

  remove(name: string): void {
    rmSync(sealedFile(this.#place, name), { force: true });
  }

  locked<T>(name: string, body: () => T | Promise<T>, limit?: number): Promise<T> {
    return locked(this.#place, name, body, limit);
  }

  /** What a store with an old key wrote, nobody could read. */
  #requireSameKey(): void {
    if (readMarker(this.#place)?.key === keyId(this.#key)) return;
    throw new Exit(
      EXIT.unavailable,
      "key_changed",
      `Another alai signed the profile ${this.#place.profile} in or out meanwhile; nothing was kept.`,
      "Try again.",
    );
  }
}

const SEAL_OVERHEAD = 64;

async function locked<T>(place: Place, name: string, body: () => T | Promise<T>, limit?: number): Promise<T> {
  const file = join(place.folder, `${name}.lock`);
  // Before SQLite does, which would let others read it.
  closeSync(openSync(file, "a", 0o600));
  try {
    return await withLock(place.folder, name, body, limit);
  } catch (error) {
    throw error instanceof StoreError && error.message.includes(file) ? lockFailure(place, error) : error;
  }
}

/** The lock is a file of SQLite's, whose own words are about ledgers. */
function lockFailure({ profile, folder }: Place, { code }: StoreError): Exit {
  if (code === "disk_full") return diskFull(folder);
  const [message, hint] =
    code === "locked"
      ? [
          `Another alai has been at work on the sign-in of the profile ${profile} for too long.`,
          "Try again in a moment.",
        ]
      : [`The locks in ${folder} cannot be used.`, "Check its permissions, or remove the files *.lock in it."];
  return new Exit(EXIT.unavailable, code, message, hint);
}

function keyLost({ profile, login }: Place, backend: Backend): Exit {
  const where = backend === "keychain" ? "The keychain no longer has" : "This machine no longer has the file with";
  return new Exit(
    EXIT.signIn,
    "key_lost",
    `${where} the key of the profile ${profile}, so what is sealed with it does not open.`,
    `Type ${login()}: it makes a new key and sets the old files aside.`,
  );
}
