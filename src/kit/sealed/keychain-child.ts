import { readFileSync, writeSync } from "node:fs";
import type { Entry } from "@napi-rs/keyring";

/** The word in argv that makes this program the keychain's child. */
export const KEYCHAIN_WORD = "__keychain";

/** Exit codes of the child. */
export const CHILD = { done: 0, failed: 1, notFound: 3, noLibrary: 5 } as const;

const SERVICE = "alai";

/**
 * `alai __keychain get|keep|remove ACCOUNT`: one call to the system's keychain, in a process that can be killed. The library
 * blocks its thread while it connects, and a process with a call under way does not end before the answer: both measured, with
 * a bus that is silent and with a prompt that nobody answers. The key goes through pipes, never through argv.
 */
export async function keychainChild([verb = "", account = ""]: readonly string[]): Promise<void> {
  process.exitCode = await answer(verb, account);
}

async function answer(verb: string, account: string): Promise<number> {
  const library = await import("@napi-rs/keyring").catch(() => null);
  if (!library) return CHILD.noLibrary;
  try {
    // Not the library's own fall back: the kernel's keyring forgets the key at the next boot.
    return ask(new library.Entry(SERVICE, account, { linux: { store: "secret-service" } }), verb);
  } catch (error) {
    writeSync(2, error instanceof Error ? error.message : String(error));
    return CHILD.failed;
  }
}

function ask(entry: Entry, verb: string): number {
  if (verb === "get") return give(entry.getSecret());
  if (verb === "remove") return entry.deleteCredential() ? CHILD.done : CHILD.notFound;
  const key = readFileSync(0);
  entry.setSecret(key);
  const kept = entry.getSecret();
  if (!kept || !Buffer.from(kept).equals(key)) throw new Error("what it was given to keep is not there");
  return CHILD.done;
}

function give(secret: readonly number[] | null): number {
  if (!secret) return CHILD.notFound;
  writeSync(1, Buffer.from(secret));
  return CHILD.done;
}
