import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parse } from "yaml";
import type { Database, Manifest } from "../../src/dr/manifest/model.ts";
import { readManifest } from "../../src/dr/manifest/read.ts";
import type { HostReport } from "../../src/dr/report.ts";
import { openStorage } from "../../src/dr/storage/open.ts";
import type { Storage } from "../../src/dr/storage/storage.ts";
import { fakeWorld } from "../../test/client/world.ts";
import { ACCOUNT, AZURITE_ENV, Azurite } from "../../test/dr/azurite.ts";
import { litestream } from "../../test/dr/litestream.ts";
import { TestProcess } from "../../test/dr/process.ts";
import { until } from "../../test/dr/world.ts";

const root = join(import.meta.dirname, "..", "..");
const NPM = join(root, "dist", "npm", "alai.js");
const PORTS = { anvil: 18_471, forge: 18_472 } as const;
const CONTAINER = "bench";

/** A row that a writer had committed: `at` by this machine's clock. */
export interface Acknowledged {
  readonly name: string;
  readonly seq: number;
  readonly at: number;
}

/**
 * The company's 69 databases at the sizes of the plan, an Azurite, the agents of both hosts from the npm build, and writers of
 * one row a second in each database. All of it on this machine; nothing of it is left.
 */
export class Fleet implements AsyncDisposable {
  readonly dir: string;
  readonly azurite: Azurite;
  readonly litestream: string;
  readonly manifest: Manifest;
  readonly env: Readonly<Record<string, string>>;
  readonly storage: Storage;
  readonly #processes = new Set<TestProcess>();
  readonly #agents: number[] = [];

  private constructor(azurite: Azurite, found: string, dir: string, opened: { manifest: Manifest; storage: Storage }) {
    this.azurite = azurite;
    this.litestream = found;
    this.dir = dir;
    this.manifest = opened.manifest;
    this.storage = opened.storage;
    this.env = environment(dir, found);
  }

  static async make(): Promise<Fleet> {
    const [azurite, found] = [await Azurite.start(), await litestream()];
    await azurite.createContainer(CONTAINER);
    const dir = mkdtempSync(join(tmpdir(), "alai-bench-"));
    for (const part of ["databases", "copies", "home"]) mkdirSync(join(dir, part));
    const file = join(dir, "dr.manifest.yaml");
    writeFileSync(file, manifestText(dir, azurite.endpoint));
    const { context } = fakeWorld({ ...AZURITE_ENV, HOME: join(dir, "home") });
    const manifest = readManifest(context, file);
    const fleet = new Fleet(azurite, found, dir, { manifest, storage: await openStorage(context, manifest.storage) });
    for (const database of manifest.databases) fill(fleet.file(database), database.size ?? 0);
    return fleet;
  }

  file(database: Database): string {
    return join(this.dir, "databases", database.path);
  }

  /** Words that run the npm build on this manifest. */
  words(...words: readonly string[]): readonly string[] {
    return ["--", NPM, ...words, "--manifest", this.manifest.file];
  }

  /** Runs one command of the npm build. Throws when it ends with another code than these. */
  async alai(words: readonly string[], codes: readonly number[] = [0]): Promise<void> {
    await this.run(process.execPath, this.words(...words), codes);
  }

  /** The gate in front of the storage is in this process: nothing here may wait for a child and do nothing else. */
  async run(program: string, words: readonly string[], codes: readonly number[] = [0]): Promise<void> {
    const started = this.start(program, words);
    if (!started.isOver) await once(started.child, "close");
    this.#processes.delete(started);
    const { exitCode } = started.child;
    if (!codes.includes(exitCode ?? -1))
      throw new Error(`${program} ${words.join(" ")} ended with ${exitCode}: ${started.output.slice(-4000)}`);
  }

  agent(host: "anvil" | "forge"): void {
    this.#agents.push(this.start(process.execPath, this.words("host", "agent", "--host", host)).pid);
  }

  /** Process ids, in the order of their start. */
  get agents(): readonly number[] {
    return this.#agents;
  }

  get fullEnv(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.env };
  }

  /** One row a second into each. */
  async writer(): Promise<TestProcess> {
    const fixture = join(root, "test", "dr", "fixtures", "writer.ts");
    const pairs = this.manifest.databases.map((database) => `${database.name}=${this.file(database)}`);
    const writer = this.start(process.execPath, [fixture, this.#acknowledged, "1", ...pairs]);
    await writer.says(/writing/);
    return writer;
  }

  start(program: string, words: readonly string[]): TestProcess {
    const started = new TestProcess(program, words, this.fullEnv);
    this.#processes.add(started);
    return started;
  }

  /** The newest that a writer acknowledged, by database. */
  newest(): ReadonlyMap<string, Acknowledged> {
    const lines = readFileSync(this.#acknowledged, "utf8").split("\n").slice(0, -1);
    return new Map(lines.map((line) => JSON.parse(line) as Acknowledged).map((one) => [one.name, one]));
  }

  async report(host: "anvil" | "forge"): Promise<HostReport | null> {
    try {
      return (await (await fetch(`http://127.0.0.1:${PORTS[host]}/report`)).json()) as HostReport;
    } catch {
      return null;
    }
  }

  /** Waits until the standby has a working copy and one for readers of every database that it follows. */
  async seeded(limit: number): Promise<void> {
    const followed = this.manifest.databases.filter(({ follow }) => follow).map(({ name }) => name);
    await until(
      "every followed database has a copy",
      async () => {
        const report = await this.report("forge");
        const done = report?.databases.filter(({ applied, published }) => applied && published).map(({ name }) => name);
        return followed.every((name) => done?.includes(name));
      },
      limit,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#processes) await one.kill("SIGTERM");
    this.storage.close();
    await this.azurite[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  get #acknowledged(): string {
    return join(this.dir, "acknowledged.jsonl");
  }
}

function environment(dir: string, found: string): Readonly<Record<string, string>> {
  const nothing = { ALAI_MC_URL: "", ALAI_DR_TOKEN: "", ALAI_DR_MANIFEST: "" };
  return { ...AZURITE_ENV, ...nothing, HOME: join(dir, "home"), ALAI_LITESTREAM: found, CI: "1" };
}

/** The real manifest, on two folders of this machine. The tiers, their intervals and the databases are as they are. */
function manifestText(dir: string, endpoint: string): string {
  const real = parse(readFileSync(join(root, "docs", "examples", "alai", "dr.manifest.yaml"), "utf8"));
  const host = (name: "anvil" | "forge", role: string, databases: string) => ({
    ...{ name, role, user: "alai", os: "linux", addresses: ["127.0.0.1"], port: PORTS[name] },
    ...{ databases: join(dir, databases), state: join(dir, name) },
  });
  return JSON.stringify({
    hosts: [host("anvil", "primary", "databases"), host("forge", "standby", "copies")],
    storage: { type: "azure", account: ACCOUNT, container: CONTAINER, endpoint },
    tiers: real.tiers,
    // What is measured is the machine without them.
    daily: { prove: "off", drill: "off" },
    databases: real.databases.map(({ owner: _, ...database }: Record<string, unknown>) => database),
  });
}

/** A database of about so many bytes: rows of text that packs to about a half, as a service's do. */
function fill(file: string, bytes: number): void {
  const db = new DatabaseSync(file);
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE filler (id INTEGER PRIMARY KEY, text TEXT)",
  );
  const insert = db.prepare("INSERT INTO filler (text) VALUES (hex(randomblob(1900)))");
  db.exec("BEGIN");
  for (let done = 0; done + 4096 < bytes; done += 4096) insert.run();
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
}
