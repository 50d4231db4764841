import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { StorageSpec } from "../../src/dr/manifest/model.ts";
import { openStorage } from "../../src/dr/storage/open.ts";
import type { Storage } from "../../src/dr/storage/storage.ts";
import type { Context } from "../../src/kit/context.ts";
import { fakeWorld } from "../client/world.ts";
import { ACCOUNT, AZURITE_ENV, type Azurite } from "./azurite.ts";
import { TestProcess } from "./process.ts";

/** A row of which a writer said that it was committed. */
export interface Marker {
  readonly name: string;
  readonly seq: number;
  /** When, by this machine's clock. */
  readonly at: number;
}

export interface WorldOptions {
  /** Names of databases; `<name>.db` in the folder. */
  readonly databases?: readonly string[];
  /** In an Azurite; absent: in a folder, which is quicker. */
  readonly azurite?: Azurite | undefined;
  readonly prefix?: string;
}

export interface LitestreamOptions {
  /** Of replicas' paths. */
  readonly epoch?: number;
  readonly databases?: readonly string[];
  /** Lines of YAML at the top level, in place of the quick defaults. */
  readonly settings?: string;
}

/** Quick, so that tests need not wait for levels and snapshots. */
const QUICK = `snapshot: {interval: 10m, retention: 1h}
levels: [{interval: 2s}, {interval: 10s}]
l0-retention: 30s
l0-retention-check-interval: 5s
shutdown-sync-timeout: 2s
`;

let containers = 0;

/**
 * A world to break: databases in WAL mode, storage, a manifest, writers and Litestreams that are processes of their own. All
 * of it is gone when the test is over; every process is ended by its pid.
 */
export class World implements AsyncDisposable {
  readonly folder: string;
  readonly databases: readonly string[];
  readonly storage: StorageSpec;
  /** Empty but for what signs in to the storage. */
  readonly env: Readonly<Record<string, string>>;
  /** A command's context in this world. */
  readonly context: Context;
  /** Where the agents of primary and standby listen: free when the world was made. */
  readonly ports: readonly number[];
  readonly #processes: TestProcess[] = [];
  readonly #opened: Storage[] = [];
  #count = 0;

  private constructor(
    folder: string,
    { storage, databases, ports, isAzure }: Pick<World, "storage" | "databases" | "ports"> & { isAzure: boolean },
  ) {
    this.folder = folder;
    this.ports = ports;
    this.databases = databases;
    this.storage = storage;
    const home = join(folder, "home");
    this.env = { HOME: home, ...(isAzure && AZURITE_ENV) };
    this.context = fakeWorld(this.env).context;
    for (const part of ["databases", "copies", "home", "primary", "standby"]) mkdirSync(join(folder, part));
  }

  static async make({ databases = ["one"], azurite, prefix = "" }: WorldOptions = {}): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "alai-world-"));
    const ports = [await freePort(), await freePort()];
    const storage = await storageFor(folder, azurite, prefix);
    const world = new World(folder, { storage, databases, ports, isAzure: azurite !== undefined });
    for (const name of databases) world.create(name);
    return world;
  }

  /** Where a database of the primary is. */
  file(name: string): string {
    return join(this.folder, "databases", `${name}.db`);
  }

  /** A database in WAL mode with one table of no rows. */
  create(name: string): void {
    this.sql(
      name,
      "PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS marker (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, filler TEXT NOT NULL)",
    );
  }

  /** Runs statements on a connection of its own, which leaves the WAL as it is. */
  sql(name: string, statements: string): void {
    const db = new DatabaseSync(this.file(name), { timeout: 20_000 });
    try {
      db.exec(statements);
    } finally {
      db.close();
    }
  }

  /** Opened for the test's own looks; closed with the world. */
  async openStorage(deadline?: number): Promise<Storage> {
    const storage = await openStorage(this.context, this.storage, { deadline });
    this.#opened.push(storage);
    return storage;
  }

  /** Writes the manifest of this world: one primary, one standby, one tier of all databases. @returns its file. */
  writeManifest(tier: Readonly<Record<string, string>> = {}): string {
    const file = join(this.folder, "dr.manifest.yaml");
    const words = {
      retention: "1h",
      "snapshot-interval": "10m",
      "sync-interval": "1s",
      heartbeat: "1s",
      rpo: "5s",
      ...tier,
    };
    writeFileSync(file, manifestText(this, words));
    return file;
  }

  /** Rows at a rate into each database, until it is ended. @param folder where they are: the primary's or, after a failover, the other one's. */
  async startWriter({ databases = this.databases, rate = 5, folder = "databases" } = {}): Promise<TestProcess> {
    const pairs = databases.map((name) => `${name}=${join(this.folder, folder, `${name}.db`)}`);
    const words = [join(import.meta.dirname, "fixtures", "writer.ts"), this.#acknowledged, `${rate}`, ...pairs];
    return this.#start(process.execPath, words, /writing/);
  }

  /** What the writers of this world had acknowledged, oldest first; a line that a kill tore is left out. */
  acknowledged(name?: string): Marker[] {
    if (!existsSync(this.#acknowledged)) return [];
    const lines = readFileSync(this.#acknowledged, "utf8").split("\n").slice(0, -1);
    const markers = lines.map((line) => JSON.parse(line) as Marker);
    return name === undefined ? markers : markers.filter((marker) => marker.name === name);
  }

  /** The configuration of a Litestream. @returns its file. */
  writeConfig({ epoch = 1, databases = this.databases, settings = QUICK }: LitestreamOptions = {}): string {
    const file = join(this.folder, `litestream-${++this.#count}.yml`);
    const entry = (name: string) =>
      `  - path: ${this.file(name)}\n    replica: ${this.#replica(`e${epoch}/${name}`)}\n`;
    writeFileSync(file, `${settings}dbs:\n${databases.map(entry).join("")}`);
    return file;
  }

  /** A real Litestream that replicates databases of this world. */
  async startLitestream(options: LitestreamOptions = {}): Promise<TestProcess> {
    const words = ["replicate", "-config", this.writeConfig(options)];
    return this.#start(process.env.ALAI_LITESTREAM ?? "litestream", words, /initialized db|replicating to/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()));
    for (const storage of this.#opened) storage.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #acknowledged(): string {
    return join(this.folder, "acknowledged.jsonl");
  }

  async #start(program: string, words: readonly string[], ready: RegExp): Promise<TestProcess> {
    const started = new TestProcess(program, words, { ...process.env, ...this.env });
    this.#processes.push(started);
    await started.says(ready);
    return started;
  }

  /** In YAML's flow style, which JSON is. */
  #replica(path: string): string {
    const full = [this.storage.prefix, path].filter(Boolean).join("/");
    const interval = { "sync-interval": "100ms" };
    if (this.storage.type === "file")
      return JSON.stringify({ type: "file", path: join(this.storage.path, full), ...interval });
    if (this.storage.type !== "azure") throw new Error("no such storage in a world");
    const { account, container, endpoint } = this.storage;
    return JSON.stringify({
      type: "abs",
      "account-name": account,
      bucket: container,
      endpoint,
      path: full,
      ...interval,
    });
  }
}

async function storageFor(folder: string, azurite: Azurite | undefined, prefix: string): Promise<StorageSpec> {
  if (!azurite) {
    const path = join(folder, "storage");
    mkdirSync(path);
    return { type: "file", path, prefix };
  }
  const container = `world-${process.pid}-${++containers}`;
  await azurite.createContainer(container);
  return { type: "azure", account: ACCOUNT, container, endpoint: azurite.endpoint, prefix };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function manifestText(world: World, tier: Readonly<Record<string, string>>): string {
  const at = (part: string) => join(world.folder, part);
  const host = { user: "alai", os: "linux", addresses: ["127.0.0.1"] };
  const { storage, ports } = world;
  return JSON.stringify(
    {
      hosts: [
        { name: "anvil", role: "primary", port: ports[0], ...host, databases: at("databases"), state: at("primary") },
        { name: "forge", role: "standby", port: ports[1], ...host, databases: at("copies"), state: at("standby") },
      ],
      storage: { ...storage, ...(storage.prefix === "" && { prefix: undefined }) },
      tiers: [{ name: "p0-critical", ...tier }],
      databases: world.databases.map((name) => ({ name, tier: "p0-critical" })),
    },
    null,
    2,
  );
}

/** Waits until `look` gives something. Throws after a minute, with what was waited for. */
export async function until<T>(what: string, look: () => T | Promise<T>, limit = 60_000): Promise<NonNullable<T>> {
  const end = performance.now() + limit;
  for (;;) {
    const found = await look();
    if (found) return found as NonNullable<T>;
    if (performance.now() > end) throw new Error(`Not within ${limit} ms: ${what}`);
    await sleep(50);
  }
}
