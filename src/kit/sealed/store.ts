import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../context.ts";
import { Exit } from "../errors.ts";
import { EXIT } from "../exit.ts";
import { withLock } from "../lock.ts";
import { platformPaths } from "../paths.ts";
import { type Keychain, KeychainError, keychainRefusal, systemKeychain } from "./keychain.ts";
import { readPrivate, writePrivate } from "./private-file.ts";
import { KEY_BYTES, SealBroken, seal, unseal } from "./seal.ts";

/** Where a profile's key is. `file` only when the user asked for it. */
export type Backend = "keychain" | "file";

/** Secrets of one profile on this disk, each in a sealed file. */
export interface SealedStore {
  readonly backend: Backend;
  /** Null when there is none. Throws Exit 4 when it does not open. */
  read(name: string): Buffer | null;
  write(name: string, plain: Uint8Array): void;
  remove(name: string): void;
  /** Runs `body` while no other process does, for the same profile. @param limit milliseconds to wait; then StoreError `locked`. */
  locked<T>(name: string, body: () => T | Promise<T>, limit?: number): Promise<T>;
}

interface Place {
  readonly folder: string;
  /** The key's name in the keychain. */
  readonly account: string;
  readonly keychain: Keychain;
}

const KEY_FILE = "key";

/**
 * Opens the store of a profile; null when there is none, or its key is gone. Throws Exit 4 when the keychain does not answer:
 * never a silent fall back to another place.
 */
export async function openSealed(
  context: Context,
  profile: string,
  keychain = systemKeychain(),
): Promise<SealedStore | null> {
  const place = placeOf(context, profile, keychain);
  const backend = backendOf(place);
  if (backend === null) return null;
  const key = await readKey(place, backend);
  return key ? new Store(place, profile, backend, key) : null;
}

/** The backend as its marker says, without asking the keychain; null when nothing was ever kept for this profile. */
export function storedBackend(context: Context, profile: string): Backend | null {
  return backendOf(placeOf(context, profile, systemKeychain()));
}

/**
 * Opens the store of a profile, or makes it: a new key is written and read back first, so that nobody signs in for nothing.
 * @param insecure keep the key in a file. Throws Exit 4 with the remedy when the keychain is of no use.
 */
export async function makeSealed(
  context: Context,
  profile: string,
  insecure: boolean,
  keychain = systemKeychain(),
): Promise<SealedStore> {
  const place = placeOf(context, profile, keychain);
  mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  return withLock(place.folder, "store", async () => {
    const wanted: Backend = insecure ? "file" : "keychain";
    const known = backendOf(place);
    if (known !== null && known !== wanted) wipe(place);
    const key = known === wanted ? await readKey(place, wanted) : null;
    if (key) return new Store(place, profile, wanted, key);
    const made = randomBytes(KEY_BYTES);
    await keepKey(place, wanted, made);
    writePrivate(markerOf(place), Buffer.from(`${JSON.stringify({ backend: wanted })}\n`));
    return new Store(place, profile, wanted, made);
  });
}

/** Removes all sealed files of a profile, and its key. */
export async function removeSealed(context: Context, profile: string, keychain = systemKeychain()): Promise<void> {
  const place = placeOf(context, profile, keychain);
  const backend = backendOf(place);
  if (backend === null) return;
  if (backend === "keychain") await asked(() => keychain.remove(place.account));
  wipe(place);
}

class Store implements SealedStore {
  readonly backend: Backend;
  readonly #place: Place;
  readonly #profile: string;
  readonly #key: Uint8Array;

  constructor(place: Place, profile: string, backend: Backend, key: Uint8Array) {
    this.#place = place;
    this.#profile = profile;
    this.backend = backend;
    this.#key = key;
  }

  read(name: string): Buffer | null {
    const file = this.#file(name);
    const sealed = readPrivate(file);
    if (!sealed) return null;
    try {
      return unseal(this.#key, this.#bound(name), sealed);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      throw new Exit(EXIT.signIn, "seal_broken", `${file} does not open: ${error.message}.`, "Type alai login.");
    }
  }

  write(name: string, plain: Uint8Array): void {
    writePrivate(this.#file(name), seal(this.#key, this.#bound(name), plain));
  }

  remove(name: string): void {
    rmSync(this.#file(name), { force: true });
  }

  locked<T>(name: string, body: () => T | Promise<T>, limit?: number): Promise<T> {
    return withLock(this.#place.folder, name, body, limit);
  }

  #file(name: string): string {
    return join(this.#place.folder, `${name}.sealed`);
  }

  #bound(name: string): string {
    return `alai\n${this.#profile}\n${name}`;
  }
}

function placeOf(context: Context, profile: string, keychain: Keychain): Place {
  const { config } = context.paths;
  const usual = platformPaths({ HOME: context.env.HOME }, context.platform).config;
  // Two folders of settings on one machine must not share a key: each would lock the other out.
  const account = config === usual ? profile : `${profile} in ${config}`;
  return { folder: join(config, "sealed", profile), account, keychain };
}

function markerOf({ folder }: Place): string {
  return join(folder, "store.json");
}

function backendOf(place: Place): Backend | null {
  const marker = readPrivate(markerOf(place))?.toString("utf8");
  if (!marker) return null;
  try {
    const { backend } = JSON.parse(marker) as { backend: Backend };
    if (backend === "keychain" || backend === "file") return backend;
  } catch {
    // Said below.
  }
  throw new Exit(EXIT.signIn, "seal_broken", `${markerOf(place)} is not what alai wrote.`, "Type alai login.");
}

async function readKey({ account, folder, keychain }: Place, backend: Backend): Promise<Uint8Array | null> {
  const key = backend === "keychain" ? await asked(() => keychain.get(account)) : readPrivate(join(folder, KEY_FILE));
  return key?.length === KEY_BYTES ? key : null;
}

async function keepKey(place: Place, backend: Backend, key: Uint8Array): Promise<void> {
  if (backend === "file") return writePrivate(join(place.folder, KEY_FILE), key);
  await asked(async () => {
    await place.keychain.set(place.account, key);
    const kept = await place.keychain.get(place.account);
    if (!kept || !Buffer.from(kept).equals(key)) throw new KeychainError("failed");
  });
}

async function asked<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof KeychainError ? keychainRefusal(error) : error;
  }
}

/** Everything but the locks, which others may hold just now. */
function wipe({ folder }: Place): void {
  for (const name of readdirSync(folder))
    if (!name.endsWith(".lock") && !/\.lock-\w+$/.test(name)) rmSync(join(folder, name), { force: true });
}
