import { spawn } from "node:child_process";
import type { Context } from "../context.ts";
import type { Env } from "../env.ts";
import { Exit } from "../errors.ts";
import { EXIT } from "../exit.ts";
import { oneLine, truncate } from "../text.ts";
import { CHILD, KEYCHAIN_WORD } from "./keychain-child.ts";
import { KEY_BYTES } from "./seal.ts";

/** Milliseconds that the system's keychain may take for one answer: a prompt that nobody sees would otherwise hang for minutes. */
export const KEYCHAIN_LIMIT = 3000;

/** Why the keychain is of no use. */
export type KeychainFault = "absent" | "empty" | "locked" | "denied" | "silent" | "failed";

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
  /** Keeps it, and reads it back. */
  set(account: string, secret: Uint8Array): Promise<void>;
  remove(account: string): Promise<void>;
}

export function systemKeychain({ self, env }: Pick<Context, "self" | "env">): Keychain {
  const ask = (verb: string, account: string, input?: Uint8Array) =>
    askChild([...self, KEYCHAIN_WORD, verb, account], childEnv(env), input);
  return {
    get: (account) => ask("get", account),
    set: async (account, secret) => void (await ask("keep", account, secret)),
    remove: async (account) => void (await ask("remove", account)),
  };
}

/** What would make the child another program, or lead its library elsewhere; and what is not its business. */
function childEnv(env: Env): Env {
  const kept = Object.entries(env).filter(([name]) => !/^(BUN_|NODE_OPTIONS$|NAPI_RS_|ALAI_)/.test(name));
  return Object.fromEntries(kept);
}

/** One call in a process of its own, because one that never answers can only be got rid of with its process. */
function askChild(command: readonly string[], env: Env, input: Uint8Array | undefined): Promise<Uint8Array | null> {
  const [program = "", ...words] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { env, stdio: "pipe", windowsHide: true });
    const said = { out: [] as Buffer[], err: [] as Buffer[] };
    const done = (act: () => void) => {
      clearTimeout(silent);
      act();
    };
    const silent = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new KeychainError("silent"));
    }, KEYCHAIN_LIMIT);
    child.stdout.on("data", (bytes: Buffer) => {
      said.out.push(bytes);
      const key = Buffer.concat(said.out);
      if (key.length < KEY_BYTES) return;
      // The answer is whole, and to watch the child end would only take time.
      done(() => resolve(key));
      child.kill("SIGKILL");
      child.unref();
    });
    child.stderr.on("data", (bytes: Buffer) => said.err.push(bytes));
    // One that ends before it has read is judged by its end.
    child.stdin.on("error", () => {}).end(input);
    child.on("error", (error) => done(() => reject(new KeychainError("failed", error))));
    child.on("close", (code) =>
      done(() => {
        if (code === CHILD.done) resolve(Buffer.concat(said.out));
        else if (code === CHILD.notFound) resolve(null);
        else reject(faulty(code, Buffer.concat(said.err).toString("utf8")));
      }),
    );
  });
}

function faulty(code: number | null, text: string): KeychainError {
  const cause = new Error(oneLine(truncate(text, 300)));
  return new KeychainError(code === CHILD.noLibrary ? "absent" : faultOf(text), cause);
}

/** All systems' refusals come as one text. Those of Linux are as the library says them to test/auth/sealed/keychain.test.ts. */
export function faultOf(text: string): KeychainFault {
  if (/did not receive a reply|timed? ?out/i.test(text)) return "silent";
  if (/locked|prompt was dismissed|interaction is not allowed/i.test(text)) return "locked";
  if (/access ?denied|rejected send/i.test(text)) return "denied";
  if (/no result found/i.test(text)) return "empty";
  if (/D-?Bus|ServiceUnknown|not provided by any|autolaunch|no storage/i.test(text)) return "absent";
  return /denied|not allowed|permission|cancel/i.test(text) ? "denied" : "failed";
}

const WORDS: Readonly<Record<KeychainFault, readonly [message: string, remedy: string]>> = {
  absent: ["This machine has no keychain that alai can reach.", "Install gnome-keyring or KWallet and sign in again"],
  empty: ["The keychain has no keyring to keep a key in.", "Make one, for example by signing in to the desktop"],
  locked: ["The keychain is locked, and nobody was there to unlock it.", "Unlock it"],
  denied: ["The keychain does not let alai in.", "Allow alai in the keychain's own settings"],
  silent: [
    "The keychain did not answer within 3 seconds.",
    "See whether it asks for something in a window, or restart it",
  ],
  failed: ["The keychain failed.", "Check that it works for other programs"],
};

/** What a person is told: exit 4, with the remedy and the way round it that must be asked for. */
export function keychainRefusal({ fault, cause }: KeychainError): Exit {
  const [words, remedy] = WORDS[fault];
  const why = fault === "failed" && cause instanceof Error && cause.message !== "" ? `: ${cause.message}.` : "";
  const message = why === "" ? words : `${words.slice(0, -1)}${why}`;
  return new Exit(
    EXIT.signIn,
    `keychain_${fault}`,
    message,
    `${remedy}; or add --insecure-storage, which keeps the key in a file that only your user may read. ALAI_TOKEN needs no keychain.`,
  );
}
