import { createHash } from "node:crypto";
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { commandFor } from "../command-for.ts";
import type { Context } from "../context.ts";
import { Exit } from "../errors.ts";
import { EXIT } from "../exit.ts";
import { platformPaths } from "../paths.ts";
import { type Keychain, KeychainError, keychainRefusal } from "./keychain.ts";
import { ASIDE, readPrivate, writePrivate } from "./private-file.ts";
import { KEY_BYTES } from "./seal.ts";

/** Where a profile's key is. `file` only when the user asked for it. */
export type Backend = "keychain" | "file";

/** Where one profile's secrets are: a folder of sealed files, a marker that says where the key is, and the key. */
export interface Place {
  readonly profile: string;
  readonly folder: string;
  /** The key's name in the keychain. */
  readonly account: string;
  readonly keychain: Keychain;
  /** What to type to sign in to this profile. */
  readonly login: () => string;
}

/** What the marker says. */
export interface Marker {
  readonly backend: Backend;
  /** Which key it is, for a process that opened the store before the key was changed. */
  readonly key: string;
  /** The change from this backend to the other is under way: files may be sealed with either key. */
  readonly from?: Backend | undefined;
}

const KEY_FILE = "key";
const SEALED = ".sealed";
const LOST = ".lost";
/** Older ones were left by a process that was killed. */
const ASIDE_LIMIT = 60_000;

export function placeOf(context: Context, profile: string, keychain: Keychain): Place {
  const { config } = context.paths;
  const usual = platformPaths({ HOME: context.env.HOME }, context.platform).config;
  // Two folders of settings on one machine must not share a key: each would lock the other out.
  const account = config === usual ? profile : `${profile} in ${config}`;
  const login = () => commandFor(context, "alai login", profile);
  return { profile, folder: join(config, "sealed", profile), account, keychain, login };
}

/** Null when nothing was ever kept here. Throws Exit 4 for one that alai did not write. */
export function readMarker(place: Place): Marker | null {
  const file = markerFile(place);
  const text = readPrivate(file)?.toString("utf8");
  if (text === undefined) return null;
  const marker = parseMarker(text);
  if (marker) return marker;
  throw new Exit(EXIT.signIn, "seal_broken", `${file} is not what alai wrote.`, `Type ${place.login()}.`);
}

function parseMarker(text: string): Marker | null {
  try {
    const { backend, key, from } = JSON.parse(text) as Partial<Marker>;
    if (!isBackend(backend) || typeof key !== "string") return null;
    return { backend, key, ...(isBackend(from) && from !== backend && { from }) };
  } catch {
    return null;
  }
}

function isBackend(word: unknown): word is Backend {
  return word === "keychain" || word === "file";
}

export function writeMarker(place: Place, marker: Marker): void {
  writePrivate(markerFile(place), Buffer.from(`${JSON.stringify(marker)}\n`));
}

function markerFile({ folder }: Place): string {
  return join(folder, "store.json");
}

/** Says which key it is and nothing about it. */
export function keyId(key: Uint8Array): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 16);
}

/** Null when there is none. Throws Exit 4 when the keychain does not say. */
export async function readKey({ account, folder, keychain }: Place, backend: Backend): Promise<Uint8Array | null> {
  const key = backend === "keychain" ? await asked(() => keychain.get(account)) : readPrivate(join(folder, KEY_FILE));
  return key?.length === KEY_BYTES ? key : null;
}

/** Where the key is when no keychain has it. */
export function keyFile({ folder }: Place): string {
  return join(folder, KEY_FILE);
}

export async function keepKey(place: Place, backend: Backend, key: Uint8Array): Promise<void> {
  if (backend === "file") writePrivate(join(place.folder, KEY_FILE), key);
  else await asked(() => place.keychain.set(place.account, key));
}

export async function removeKey({ account, folder, keychain }: Place, backend: Backend): Promise<void> {
  if (backend === "file") rmSync(join(folder, KEY_FILE), { force: true });
  else await asked(() => keychain.remove(account));
}

async function asked<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof KeychainError ? keychainRefusal(error) : error;
  }
}

/** The names of what is sealed here. */
export function sealedNames({ folder }: Place): string[] {
  return list(folder).flatMap((file) => (file.endsWith(SEALED) ? [file.slice(0, -SEALED.length)] : []));
}

export function sealedFile({ folder }: Place, name: string): string {
  return join(folder, `${name}${SEALED}`);
}

/** What no key opens is out of the way and still there. @returns the file's new name. */
export function setAside(place: Place, name: string): string {
  const taken = new Set(list(place.folder));
  let lost = `${name}${SEALED}${LOST}`;
  for (let n = 2; taken.has(lost); n++) lost = `${name}${SEALED}.${n}${LOST}`;
  renameSync(sealedFile(place, name), join(place.folder, lost));
  return lost;
}

/** Removes what killed processes had half written. */
export function tidy({ folder }: Place): void {
  for (const name of list(folder)) {
    const file = join(folder, name);
    const age = name.endsWith(ASIDE) ? Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) : 0;
    if (age > ASIDE_LIMIT) rmSync(file, { force: true });
  }
}

/** Everything but the locks, which others may hold just now. */
export function wipe({ folder }: Place): void {
  for (const name of list(folder))
    if (!name.endsWith(".lock") && !/\.lock-\w+$/.test(name)) rmSync(join(folder, name), { force: true });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
