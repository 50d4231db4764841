import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { makeSealed, openSealed, type SealedStore, storedBackend } from "../kit/sealed/store.ts";
import { duration } from "../kit/values.ts";
import { accountIn } from "./bw/tokens.ts";
import { serverSlug } from "./server-address.ts";

/** What alai knows of the vault in use. */
export interface Session {
  readonly server: string;
  /** Empty while it is not known: of an API key that was refused. */
  readonly email: string;
  /** Signed in with an API key, not by e-mail address and password. */
  readonly apiKey: boolean;
  /** False: the server has ended it, or nothing of it is left. */
  readonly signedIn: boolean;
  /** bw's session key, which opens the vault; null: locked. */
  readonly key: string | null;
  readonly unlockedAt: Millis | null;
  readonly usedAt: Millis | null;
  /** As bw says it. */
  readonly lastSync: string | null;
}

const SESSION = "bw";
/** Who only reads or writes the files. */
const FILES = "bw";
/** Who runs a bw that changes them: it asks its server and derives keys. */
const CHANGE = "bw-change";
export const DEFAULT_IDLE = "8h";

/** The sealed files of one profile that are about Bitwarden: the session, and bw's own data for each server. */
export class BwFiles {
  readonly #store: SealedStore;

  constructor(store: SealedStore) {
    this.#store = store;
  }

  /** Null when nothing was ever kept. Throws Exit 4 when the keychain does not answer. */
  static async open(context: Context, profile: string): Promise<BwFiles | null> {
    const store = await openSealed(context, profile);
    return store && new BwFiles(store);
  }

  /** Makes the store where there is none. @param insecure keep its key in a file, or move it there. */
  static async make(context: Context, profile: string, insecure: boolean): Promise<BwFiles> {
    const known = storedBackend(context, profile);
    return new BwFiles(await makeSealed(context, profile, insecure || known === "file"));
  }

  session(): Session | null {
    const bytes = this.#store.read(SESSION);
    return bytes && (JSON.parse(bytes.toString("utf8")) as Session);
  }

  /** bw's data for a server; null when nobody is signed in there. */
  data(server: string): string | null {
    return this.#store.read(dataName(server))?.toString("utf8") ?? null;
  }

  /** The session and the data that belong together; null when it is locked or was not used for too long. */
  unlocked(context: Context): Promise<{ session: Session; key: string; data: string } | null> {
    return this.#store.locked(FILES, () => {
      const session = this.current(context);
      const data = session && this.data(session.server);
      if (!session || session.key === null || data === null) return null;
      this.#touch(context, session);
      return { session, key: session.key, data };
    });
  }

  /** The session as of now: one that was not used for too long loses its key here. */
  current(context: Context): Session | null {
    const session = this.session();
    if (!session || session.key === null || !isIdle(context, session)) return session;
    const locked = { ...session, key: null };
    this.#write(locked);
    return locked;
  }

  /** Keeps what bw left, and a session on it, together. */
  keep(session: Session, data: string): Promise<void> {
    return this.#store.locked(FILES, () => {
      this.#store.write(dataName(session.server), Buffer.from(data));
      this.#write(session);
    });
  }

  /** Keeps what bw left for a server. Where that is another account than the session's, the session's key opens nothing any more. */
  keepData(server: string, data: string): Promise<void> {
    return this.#store.locked(FILES, () => {
      this.#store.write(dataName(server), Buffer.from(data));
      const session = this.session();
      const account = accountIn(data);
      if (account === null || (session !== null && session.server !== server)) return;
      const kept = session?.email === account.email ? session : { key: null, unlockedAt: null, usedAt: null };
      this.#write({ ...kept, server, signedIn: true, ...account });
    });
  }

  /** The session key goes, and with it the way into bw's data. */
  lock(): Promise<boolean> {
    return this.#store.locked(FILES, () => {
      const session = this.session();
      if (!session || session.key === null) return false;
      this.#write({ ...session, key: null });
      return true;
    });
  }

  /**
   * Keeps which server has answered, and for whom, though it refused: the next time nobody has to say it again. Somebody who is
   * signed in stays.
   */
  remember(account: Pick<Session, "server" | "email" | "apiKey">): Promise<void> {
    return this.#store.locked(FILES, () => {
      if (this.session()?.signedIn) return;
      this.#write({ ...account, signedIn: false, key: null, unlockedAt: null, usedAt: null, lastSync: null });
    });
  }

  /** Nobody is signed in to this server any more; who was is remembered. */
  signedOut(server: string): Promise<void> {
    return this.#store.locked(FILES, () => {
      this.#store.remove(dataName(server));
      const session = this.session();
      if (session?.server === server) this.#write({ ...session, signedIn: false, key: null });
    });
  }

  /** Signs out and remembers nothing. bw asks no server either when it signs out. */
  forget(server: string): Promise<void> {
    return this.#store.locked(FILES, () => {
      this.#store.remove(dataName(server));
      if (this.session()?.server === server) this.#store.remove(SESSION);
    });
  }

  /** Runs `body` while no other process has a bw that changes these files. @param limit milliseconds to wait for that. */
  changing<T>(body: () => Promise<T>, limit: Millis = 60_000): Promise<T> {
    return this.#store.locked(CHANGE, body, limit);
  }

  #write(session: Session): void {
    this.#store.write(SESSION, Buffer.from(JSON.stringify(session)));
  }

  /** Not at every call: it is a flush to the disk. */
  #touch(context: Context, session: Session): void {
    const now = context.clock();
    const age = Math.abs(now - (session.usedAt ?? 0));
    if (age > Math.min(60_000, idleLimit(context) / 20)) this.#write({ ...session, usedAt: now });
  }
}

function dataName(server: string): string {
  return `bw-data-${serverSlug(server)}`;
}

export function idleLimit(context: Context): Millis {
  return duration(String(context.settings().get("secrets.idle") ?? DEFAULT_IDLE));
}

/** When the vault locks by itself, if it is not used before. */
export function locksAt(context: Context, { key, usedAt }: Session): Millis | null {
  return key === null || usedAt === null ? null : usedAt + idleLimit(context);
}

/** A clock that was set back must not keep it open. */
function isIdle(context: Context, { usedAt }: Session): boolean {
  const unused = context.clock() - (usedAt ?? 0);
  return unused >= idleLimit(context) || unused < -300_000;
}

/** Why there is nothing to read. @param session what is known; left out: somebody is signed in. */
export function vaultLocked(session?: Session | null): Exit {
  if (session === undefined || session?.signedIn)
    return new Exit(EXIT.signIn, "vault_locked", "The vault is locked.", "Type alai secrets unlock.");
  const remedy = session
    ? `Type ${unlockLine(session)}.`
    : "Type alai secrets unlock --server us --email you@example.com (or --server eu, or the https address of your own).";
  return new Exit(EXIT.signIn, "signed_out", "Nobody is signed in to Bitwarden here.", remedy);
}

function unlockLine({ server, email, apiKey }: Session): string {
  return `alai secrets unlock --server ${server} ${apiKey || email === "" ? "--api-key" : `--email ${email}`}`;
}
