import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Copy, type CopyOptions, openCopy } from "../../../src/dr/copy/copy.ts";
import { filesByReplica, hexTxid, type LtxFile, newestTxid } from "../../../src/dr/ltx/name.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { until, type World } from "../world.ts";

/** A standby of one database in a world whose storage is a folder. */
export class TestStandby {
  readonly world: World;
  readonly name: string;
  readonly storage: Storage;
  readonly work: string;
  readonly published: string;
  copy: Copy;
  readonly #options: CopyOptions;

  private constructor(world: World, name: string, storage: Storage) {
    this.world = world;
    this.name = name;
    this.storage = storage;
    this.work = join(world.folder, "standby", "copies");
    this.published = join(world.folder, "copies", `${name}.db`);
    this.#options = { name, storage, work: this.work, published: this.published, clock: Date.now };
    this.copy = openCopy(this.#options);
  }

  static async make(world: World, name: string): Promise<TestStandby> {
    return new TestStandby(world, name, await world.openStorage(60_000));
  }

  /** As after a new start of the agent. */
  async reopen(): Promise<void> {
    await this.copy.close();
    this.copy = openCopy(this.#options);
  }

  get file(): string {
    return join(this.work, this.name);
  }

  async files(epoch = 1): Promise<readonly LtxFile[]> {
    return filesByReplica(await this.storage.list(`e${epoch}/`), `e${epoch}/`).get(this.name) ?? [];
  }

  async follow(epoch = 1): Promise<void> {
    await this.copy.follow(await this.files(epoch));
  }

  /** Follows until the copy has rows, as a query counts them. */
  async followUntil(query: string, count: number, epoch = 1): Promise<void> {
    await until(`${count} by ${query}`, async () => {
      await this.follow(epoch);
      return this.copy.report().state === "ok" && this.count(query) === count;
    });
  }

  /** By a look into a clone-free working copy, as nobody but a test may. */
  count(query: string, file = this.file): number {
    const db = new DatabaseSync(`file://${file}?immutable=1`, { readOnly: true });
    try {
      return Number(Object.values(db.prepare(query).get() ?? {})[0]);
    } finally {
      db.close();
    }
  }

  /** What the real Litestream restores at the copy's TXID. */
  reference(epoch = 1): string {
    const out = join(this.world.folder, "reference.db");
    rmSync(out, { force: true });
    litestreamRestore(this.world, `e${epoch}/${this.name}`, out, [
      "-txid",
      hexTxid(this.copy.report().applied?.txid ?? 0),
    ]);
    return out;
  }

  async newest(): Promise<number> {
    return newestTxid(await this.files());
  }
}

export function litestreamRestore(world: World, replica: string, out: string, words: readonly string[] = []): void {
  if (world.storage.type !== "file") throw new Error("not in a folder");
  mkdirSync(join(out, ".."), { recursive: true });
  const url = `file://${join(world.storage.path, replica)}`;
  execFileSync(process.env.ALAI_LITESTREAM ?? "litestream", ["restore", ...words, "-o", out, url], { stdio: "pipe" });
}

/** Throws when SQLite finds anything wrong in a file. */
export function mustBeSound(file: string): void {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const found = db.prepare("PRAGMA integrity_check").all();
    if (found.length !== 1 || found[0]?.integrity_check !== "ok") throw new Error(`${file}: ${JSON.stringify(found)}`);
  } finally {
    db.close();
  }
}
