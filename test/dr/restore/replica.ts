import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { hexTxid } from "../../../src/dr/ltx/name.ts";
import type { Database } from "../../../src/dr/manifest/model.ts";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import type { Blob, Condition, Contents, Operations, Storage } from "../../../src/dr/storage/storage.ts";
import { missing } from "../../../src/dr/storage/trouble.ts";
import { writeLtx } from "../ltx/write-ltx.ts";

const PAGE = 512;

/** Databases in a folder of storage, written as Litestream does, without one: a few pages each. */
export class ReplicaFolder implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "alai-replica-"));
  readonly state = join(this.folder, "state");
  readonly path = join(this.folder, "storage");
  readonly storage: FolderStorage;

  constructor() {
    mkdirSync(this.path);
    this.storage = new FolderStorage({ path: this.path, prefix: "" }, 10_000);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Where the file of these transactions is. */
  key(name: string, min: number, max = min, { epoch = 1, level = 0 } = {}): string {
    return `e${epoch}/${name}/ltx/${level}/${hexTxid(min)}-${hexTxid(max)}.ltx`;
  }

  /**
   * Writes what the transactions `min` to `max` come to: the whole database, of one table with as many rows as `rows` says, of that time.
   * @param beat of the heartbeat row; absent: there is none.
   */
  write(
    name: string,
    [min, max = min]: readonly [min: number, max?: number],
    {
      epoch = 1,
      level = 0,
      rows = max,
      beat = null as { epoch: number; seq: number } | null,
      time = max * 1000,
      table = "marker",
    } = {},
  ): string {
    const database = join(this.folder, "made.db");
    makeDatabase(database, { table, rows, beat });
    const bytes = readFileSync(database);
    rmSync(database);
    const pages = Array.from({ length: bytes.length / PAGE }, (_, page) => page + 1).map(
      (page) => [page, bytes.subarray((page - 1) * PAGE, page * PAGE)] as const,
    );
    const key = this.key(name, min, max, { epoch, level });
    const file = join(this.path, key);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, writeLtx({ pageSize: PAGE, commit: pages.length, min, max, time, pages }));
    utimesSync(file, time / 1000, time / 1000);
    return key;
  }

  remove(key: string): void {
    rmSync(join(this.path, key));
  }

  /** The same storage, which never answers when files of one database are read. @param asked told of each such read. */
  silent(name: string, asked: () => void): Storage {
    return Object.assign(Object.create(this.storage) as Storage, {
      list: (prefix: string) => this.storage.list(prefix),
      read: (key: string) => {
        if (!key.includes(`/${name}/`)) return this.storage.read(key);
        setImmediate(asked);
        return new Promise<never>(() => undefined);
      },
    });
  }

  /** The real `alai dr` over this storage, with `one` and `two` in its manifest. */
  async alai(...words: readonly string[]): Promise<{ exit: number | null; out: string; err: string }> {
    mkdirSync(this.state, { recursive: true });
    const file = join(this.folder, "dr.manifest.yaml");
    writeFileSync(file, manifestText(this));
    const bin = join(import.meta.dirname, "../../../bin/alai.ts");
    const env = { ...process.env, HOME: this.folder, ALAI_DR_MANIFEST: file };
    const child = spawn(process.execPath, ["--", bin, "dr", ...words], { env, cwd: this.folder });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { exit: child.exitCode, out, err };
  }
}

function manifestText({ folder, path, state }: ReplicaFolder): string {
  const host = { user: "alai", os: "linux", addresses: ["127.0.0.1"] };
  const tier = { retention: "1h", "snapshot-interval": "10m", "sync-interval": "1s", heartbeat: "1s", rpo: "5s" };
  return JSON.stringify({
    hosts: [
      { name: "anvil", role: "primary", port: 1, ...host, databases: "/live", state: join(folder, "anvil") },
      { name: "forge", role: "standby", port: 2, ...host, databases: "/copies", state },
    ],
    storage: { type: "file", path },
    tiers: [{ name: "p0-critical", ...tier }],
    databases: ["one", "two"].map((name) => ({ name, tier: "p0-critical", optional: true })),
  });
}

/** A disk of 128 KiB in place of a folder, which only root can mount. In CI it must work; elsewhere the test is skipped. */
export class SmallDisk implements Disposable {
  readonly #path: string;

  constructor(path: string, skip: (note: string) => never) {
    this.#path = path;
    mkdirSync(path, { recursive: true });
    const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", path]);
    if (status === 0) return;
    if (process.env.CI) throw new Error(`cannot mount: ${stderr}`);
    skip("needs root on Linux");
  }

  grow(): void {
    spawnSync("mount", ["-o", "remount,size=64m", this.#path]);
  }

  [Symbol.dispose](): void {
    spawnSync("umount", ["-l", this.#path]);
  }
}

interface Made {
  readonly table: string;
  readonly rows: number;
  readonly beat: { readonly epoch: number; readonly seq: number } | null;
}

function makeDatabase(file: string, { table, rows, beat }: Made): void {
  const db = new DatabaseSync(file);
  try {
    db.exec(`PRAGMA page_size = ${PAGE}; CREATE TABLE ${table} (seq INTEGER PRIMARY KEY)`);
    db.prepare(
      `INSERT INTO ${table} WITH RECURSIVE n (seq) AS (SELECT 1 WHERE ?1 > 0 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?1) SELECT seq FROM n`,
    ).run(rows);
    if (!beat) return;
    db.exec("CREATE TABLE _alai_hb (id INTEGER PRIMARY KEY, epoch INTEGER, seq INTEGER, ts_ms INTEGER)");
    db.prepare("INSERT INTO _alai_hb VALUES (1, ?, ?, ?)").run(beat.epoch, beat.seq, beat.seq * 1000);
  } finally {
    db.close();
  }
}

/** A real storage, of which files are gone by the time that somebody reads them. */
export class Vanishing implements Storage {
  readonly #storage: Storage;
  /** Called after each listing with its number, before anybody has it. */
  readonly #listed: (nth: number) => void;
  /** Keys that are listed, and never there. */
  readonly #phantoms: readonly string[];
  lists = 0;

  constructor(storage: Storage, listed: (nth: number) => void, phantoms: readonly string[] = []) {
    this.#storage = storage;
    this.#listed = listed;
    this.#phantoms = phantoms;
  }

  get label(): string {
    return this.#storage.label;
  }

  get operations(): Readonly<Operations> {
    return this.#storage.operations;
  }

  async list(prefix: string): Promise<readonly Blob[]> {
    const blobs = await this.#storage.list(prefix);
    this.#listed(++this.lists);
    return blobs;
  }

  async read(key: string): Promise<Contents> {
    if (this.#phantoms.includes(key)) throw missing(this.label, key);
    return this.#storage.read(key);
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    if (this.#phantoms.includes(key)) throw missing(this.label, key);
    yield* this.#storage.stream(key);
  }

  write(key: string, body: Uint8Array, condition?: Condition): Promise<string> {
    return this.#storage.write(key, body, condition);
  }

  remove(key: string): Promise<void> {
    return this.#storage.remove(key);
  }

  close(): void {
    this.#storage.close();
  }
}

const tier = {
  ...{ name: "p0", order: 0, retention: 1, snapshotInterval: 1, syncInterval: 1000, heartbeat: 10_000 },
  ...{ rpo: 60_000, follow: true },
};

export function database(name: string, more: Partial<Database> = {}): Database {
  return {
    ...{ name, path: `${name}.db`, tier, syncInterval: 1000, heartbeat: 10_000, follow: true, owner: null },
    ...{ size: null, sizeClass: "unknown", optional: false, ...more },
  };
}
