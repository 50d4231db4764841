import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { truncate } from "../../kit/text.ts";
import { vaultLocked } from "../session.ts";
import type { Vault, VaultFolder, VaultItem } from "../vault.ts";
import { BwFolder } from "./bw-folder.ts";
import { interrupted } from "./change-data.ts";
import type { BwProgram } from "./program.ts";
import { BwRefusal } from "./run.ts";
import { BwServe } from "./serve.ts";
import { withoutTokens } from "./tokens.ts";

/** The key of an unlocked vault, and bw's data that it opens. */
export interface Unsealed {
  readonly session: { readonly server: string };
  readonly key: string;
  readonly data: string;
}

/** A vault as one bw shows it, which has nothing to ask its server with. */
export class BwVault implements Vault {
  readonly #context: Context;
  readonly #program: BwProgram;
  readonly #refresh: () => Promise<Unsealed>;
  #unsealed: Unsealed;
  #folder: BwFolder | null = null;
  #serve: BwServe | null = null;
  #canServe: boolean;
  #hasServed = false;
  #turn: Promise<unknown> = Promise.resolve();
  #signal: AbortSignal | null = null;

  /** @param refresh asks the server for what changed, and gives what there is then. */
  constructor(context: Context, program: BwProgram, unsealed: Unsealed, refresh: () => Promise<Unsealed>) {
    this.#context = context;
    this.#program = program;
    this.#unsealed = unsealed;
    this.#refresh = refresh;
    // A child gets no socket of its parent's there.
    this.#canServe = context.platform !== "win32";
  }

  items(): Promise<readonly VaultItem[]> {
    return this.#list<VaultItem>("items");
  }

  folders(): Promise<readonly VaultFolder[]> {
    return this.#list<VaultFolder>("folders");
  }

  async totp(id: string): Promise<string> {
    const served = await this.#served<{ data: string }>(`/object/totp/${encodeURIComponent(id)}`);
    return served ? served.data : (await this.#run(["get", "totp", id, "--raw"])).trim();
  }

  async sync(): Promise<void> {
    this.#end();
    this.#unsealed = await this.#refresh();
    // From here on a signal does not end this process: what it cuts off must not look like a failure of bw.
    this.#signal = this.#context.interrupted;
  }

  async close(): Promise<void> {
    const ended = this.#serve?.ended;
    this.#end();
    // It holds the vault's keys: what is started next must not find it.
    await ended;
  }

  async #list<T>(what: "items" | "folders"): Promise<readonly T[]> {
    const served = await this.#served<{ data: readonly T[] }>(`/list/object/${what}`);
    return served ? served.data : (JSON.parse(await this.#run(["list", what])) as readonly T[]);
  }

  /** Null where bw cannot serve: then each question is a bw of its own. */
  async #served<T>(path: string): Promise<T | null> {
    if (!this.#canServe) return null;
    const serve = this.#server();
    try {
      const answer = await serve.ask<T>("GET", path);
      this.#hasServed = true;
      if ("refused" in answer) throw refused(answer.refused);
      return answer.data;
    } catch (error) {
      if (this.#wasInterrupted) throw interrupted();
      if (this.#hasServed || !(error instanceof Exit) || error.code !== "bw_failed") throw error;
      this.#canServe = false;
      // Not where another question has found out before, and has a bw of its own in the folder by now.
      if (this.#serve === serve) this.#end();
      return null;
    }
  }

  get #wasInterrupted(): boolean {
    return this.#signal?.aborted ?? false;
  }

  #server(): BwServe {
    if (this.#wasInterrupted) throw interrupted();
    if (this.#serve) return this.#serve;
    const folder = this.#opened();
    const { key, session } = this.#unsealed;
    const serve = BwServe.start(this.#context, this.#program, folder.path, key, session.server);
    folder.serve(serve.pid, () => serve.close());
    this.#serve = serve;
    return serve;
  }

  /** In turn: the folder is one bw's at a time. */
  #run(args: readonly string[]): Promise<string> {
    const mine = this.#turn.then(() => this.#runNow(args));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #runNow(args: readonly string[]): Promise<string> {
    try {
      return await this.#opened().run(this.#program, { args, secrets: { BW_SESSION: this.#unsealed.key } });
    } catch (error) {
      throw error instanceof BwRefusal ? refused(error.message) : error;
    }
  }

  #opened(): BwFolder {
    this.#folder ??= new BwFolder(this.#context, this.#unsealed.session.server, withoutTokens(this.#unsealed.data));
    return this.#folder;
  }

  #end(): void {
    this.#folder?.remove();
    this.#folder = null;
    this.#serve = null;
  }
}

function refused(words: string): Exit {
  if (/vault is locked|not logged in/i.test(words)) return vaultLocked();
  return new Exit(
    EXIT.unavailable,
    "bw_refused",
    `Bitwarden's program refused: ${truncate(words, 200)}`,
    "Type alai secrets status.",
  );
}
