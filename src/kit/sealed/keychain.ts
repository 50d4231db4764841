import { Exit } from "../errors.ts";
import { EXIT } from "../exit.ts";

/** Milliseconds that the system's keychain may take for one answer: a prompt that nobody sees would otherwise hang for minutes. */
export const KEYCHAIN_LIMIT = 3000;
const SERVICE = "alai";

/** Why the keychain is of no use. */
export type KeychainFault = "absent" | "locked" | "denied" | "silent" | "failed";

export class KeychainError extends Error {
  readonly fault: KeychainFault;

  constructor(fault: KeychainFault, cause?: unknown) {
    super(`the keychain is ${fault}`, { cause });
    this.fault = fault;
  }
}

/** The system's keychain: Secret Service, Keychain or Credential Manager. Every call throws KeychainError within 3 s at most. */
export interface Keychain {
  get(account: string): Promise<Uint8Array | null>;
  set(account: string, secret: Uint8Array): Promise<void>;
  remove(account: string): Promise<void>;
}

export function systemKeychain(): Keychain {
  return {
    get: (account) =>
      limited(account, async (entry, signal) => {
        const secret = await entry.getSecret(signal);
        return secret ? Uint8Array.from(secret) : null;
      }),
    set: (account, secret) => limited(account, (entry, signal) => entry.setSecret(secret, signal)),
    remove: (account) => limited(account, async (entry, signal) => void (await entry.deleteCredential(signal))),
  };
}

type AsyncEntry = import("@napi-rs/keyring").AsyncEntry;

async function limited<T>(account: string, ask: (entry: AsyncEntry, signal: AbortSignal) => Promise<T>): Promise<T> {
  const { AsyncEntry } = await import("@napi-rs/keyring").catch((error) => {
    throw new KeychainError("absent", error);
  });
  const signal = AbortSignal.timeout(KEYCHAIN_LIMIT);
  // The signal only withdraws what has not begun; who waits must not depend on it.
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new KeychainError("silent")), { once: true }),
  );
  try {
    return await Promise.race([ask(new AsyncEntry(SERVICE, account), signal), late]);
  } catch (error) {
    throw error instanceof KeychainError ? error : new KeychainError(faultOf(error), error);
  }
}

/** All systems' refusals come as one text; measured in facts/login-secrets-packaging.md, section 2. */
function faultOf(error: unknown): KeychainFault {
  const text = error instanceof Error ? error.message : String(error);
  if (/AccessDenied|D-?Bus|ServiceUnknown|not provided by any|No such file|autolaunch|no storage|NoStorage/i.test(text))
    return "absent";
  if (/locked|unlock|prompt.*dismissed/i.test(text)) return "locked";
  if (/denied|not allowed|permission|cancel/i.test(text)) return "denied";
  return "failed";
}

const WORDS: Readonly<Record<KeychainFault, readonly [message: string, remedy: string]>> = {
  absent: ["This machine has no keychain that alai can reach.", "Install gnome-keyring or KWallet and sign in again"],
  locked: ["The keychain is locked, and nobody was there to unlock it.", "Unlock it"],
  denied: ["The keychain does not let alai in.", "Allow alai in the keychain's own settings"],
  silent: [
    "The keychain did not answer within 3 seconds.",
    "See whether it asks for something in a window, or restart it",
  ],
  failed: ["The keychain failed.", "Check that it works for other programs"],
};

/** What a person is told: exit 4, with the remedy and the way round it that must be asked for. */
export function keychainRefusal({ fault }: KeychainError): Exit {
  const [message, remedy] = WORDS[fault];
  return new Exit(
    EXIT.signIn,
    `keychain_${fault}`,
    message,
    `${remedy}; or type alai login --insecure-storage, which keeps the key in a file that only your user may read. ALAI_TOKEN needs no keychain.`,
  );
}
