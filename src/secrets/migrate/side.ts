import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { BwFolder } from "../bw/bw-folder.ts";
import type { BwProgram } from "../bw/program.ts";
import { BwRefusal } from "../bw/run.ts";
import { DONE } from "../bw/run-until.ts";
import type { BwServe } from "../bw/serve.ts";
import { accountIn } from "../bw/tokens.ts";
import type { RawFile, RawItem } from "./canonical.ts";
import { SideRefusal } from "./patience.ts";
import { isCurrent, type Stored, storedIn } from "./stored.ts";

export type Role = "source" | "destination";

export interface Folder {
  readonly id: string;
  readonly name: string;
}

interface Collection extends Folder {
  readonly organizationId: string;
}

/** For a large vault on a slow line. */
const LONG: Millis = 600_000;

const SIGNED_OUT = /not logged in|vault is locked|invalid_grant|invalid refresh token|unauthorized|logged out/i;

interface Opened {
  readonly context: Context;
  readonly program: BwProgram;
  readonly role: Role;
  readonly server: string;
  readonly folder: BwFolder;
  readonly session: string;
  readonly serve: BwServe;
}

/** One of the two vaults, unlocked: one bw answers what is asked of it. What bw refuses is thrown as SideRefusal. */
export class Side {
  readonly role: Role;
  readonly server: string;
  readonly #opened: Opened;

  constructor(opened: Opened) {
    this.role = opened.role;
    this.server = opened.server;
    this.#opened = opened;
  }

  async account(): Promise<{ email: string; userId: string }> {
    const { template } = await this.#get<{ template: { userEmail: string; userId: string } }>("/status");
    return { email: template.userEmail, userId: template.userId };
  }

  /** Fetches everything from the server, whatever its dates say, and waits until bw shows it. */
  async sync(): Promise<void> {
    await this.#done(this.#opened.serve.ask("POST", "/sync?force=true", undefined, LONG));
    for (let tries = 0; tries < 40 && !(await this.#isShown()); tries++) await sleep(100);
  }

  /** For a moment after a sync bw may show no item and no folder at all, and find none by its id. */
  async #isShown(): Promise<boolean> {
    const items = new Map((await this.items()).map((item) => [item.id, item]));
    const folders = new Set((await this.folders()).map(({ id }) => id));
    const stored = this.stored();
    return (
      stored.folders.every((id) => folders.has(id)) &&
      [...stored.items].every(([id, sealed]) => sealed.organizationId || isCurrent(sealed, items.get(id) ?? {}))
    );
  }

  /** Items outside the trash, archived ones and those of organizations too. */
  async items(): Promise<readonly RawItem[]> {
    const all = [...(await this.#list("items")), ...(await this.#list("items?archived=true"))];
    // Where nothing can be archived both are the same.
    return [...new Map(all.map((item) => [item.id, item])).values()];
  }

  /** What the last sync brought, whatever bw shows of it. */
  stored(): Stored {
    return storedIn(this.#opened.folder.data());
  }

  /** Folders with an id: bw lists what is in none as one more. */
  async folders(): Promise<readonly Folder[]> {
    const { data } = await this.#get<{ data: readonly Folder[] }>("/list/object/folders");
    return data.filter(({ id }) => Boolean(id));
  }

  async trash(): Promise<readonly RawItem[]> {
    return this.#list("items?trash=true");
  }

  async sends(): Promise<readonly { readonly name: string }[]> {
    return this.#list("send");
  }

  async organizations(): Promise<readonly Folder[]> {
    return this.#list("organizations");
  }

  async collections(): Promise<readonly Collection[]> {
    return this.#list("collections");
  }

  async create(item: unknown): Promise<string> {
    return (await this.#done<{ id: string }>(this.#opened.serve.ask("POST", "/object/item", item))).id;
  }

  /** Into the trash, from where a person can take it back. */
  async remove(id: string): Promise<void> {
    await this.#done(this.#opened.serve.ask("DELETE", `/object/item/${id}`));
  }

  async removeFolder(id: string): Promise<void> {
    await this.#done(this.#opened.serve.ask("DELETE", `/object/folder/${id}`));
  }

  async removeFile(item: string, file: string): Promise<void> {
    await this.#done(this.#opened.serve.ask("DELETE", `/object/attachment/${file}?itemid=${item}`));
  }

  async filesOf(item: string): Promise<readonly RawFile[]> {
    return (await this.#get<RawItem>(`/object/item/${item}`)).attachments ?? [];
  }

  async download(item: string, { id }: RawFile): Promise<Buffer> {
    return this.#done(this.#opened.serve.fetch(`/object/attachment/${id.toLowerCase()}?itemid=${item}`));
  }

  async upload(item: string, name: string, bytes: Buffer): Promise<RawItem> {
    return this.#done(this.#opened.serve.send<RawItem>(`/attachment?itemid=${item}`, name, bytes));
  }

  /**
   * Imports a password-protected export, in a folder of its own: bw fetches everything once more when it is done, which is not
   * waited for.
   */
  async import(text: string, password: string): Promise<void> {
    const { context, program, server, session, folder } = this.#opened;
    const own = new BwFolder(context, server, await wholeData(folder));
    try {
      const file = join(own.path, "import.json");
      writeFileSync(file, text, { mode: 0o600, flag: "wx" });
      const call = {
        args: ["import", "bitwardenjson", file, "--passwordenv", "ALAI_IMPORT_PASSWORD"],
        secrets: { BW_SESSION: session, ALAI_IMPORT_PASSWORD: password },
        limit: 600_000,
      };
      const said = await own.run(program, call, DONE.import);
      const skipped = /(\d+) item\(s\) could not be imported/.exec(said)?.[0];
      if (skipped) throw new SideRefusal(skipped);
    } catch (error) {
      throw error instanceof BwRefusal ? this.#refusal(error.said, error.message) : error;
    } finally {
      own.remove();
    }
  }

  close(): void {
    this.#opened.folder.remove();
  }

  async #list<T = RawItem>(what: string): Promise<readonly T[]> {
    return (await this.#get<{ data: readonly T[] }>(`/list/object/${what}`)).data;
  }

  #get<T>(path: string): Promise<T> {
    return this.#done(this.#opened.serve.ask<T>("GET", path, undefined, LONG));
  }

  async #done<T>(asked: Promise<{ data: T } | { refused: string }>): Promise<T> {
    const answer = await asked;
    if ("refused" in answer) throw this.#refusal(String(answer.refused));
    return answer.data;
  }

  /** Nothing can be asked of a server that has signed bw out. */
  #refusal(said: string, words = said): Error {
    if (!SIGNED_OUT.test(said)) return new SideRefusal(words);
    return new Exit(
      EXIT.signIn,
      "signed_out",
      `The ${this.role} (${this.server}) has signed this machine out.`,
      "Type the same command again: it goes on where it stopped, and adds nothing twice.",
    );
  }
}

/** The bw that serves may be writing it just now: half of it, or nothing, would be a bw that nobody is signed in to. */
async function wholeData(folder: BwFolder): Promise<string> {
  for (let tries = 0; tries < 500; tries++) {
    const data = folder.data();
    if (data !== null && accountIn(data)) return data;
    await sleep(10);
  }
  throw new SideRefusal("its data is not readable");
}
