import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PostgresServer } from "../../test/postgres/server.ts";
import { makeOurs } from "../ledgers.ts";
import { version } from "../report.ts";
import { fill } from "./drive.ts";
import { type Served, type StoreAt, startServer } from "./served.ts";

const modules = join(import.meta.dirname, "..", "..", "node_modules");

function packageVersion(name: string): string {
  return JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version;
}

/** What every measurement shares: a folder, a Postgres with the settings it has by itself, and servers that end with it. */
export class Bench {
  readonly dir = mkdtempSync(join(tmpdir(), "alai-bench-"));
  readonly quick: boolean;
  readonly postgres: PostgresServer;
  readonly #running = new Set<Served>();
  #made = 0;

  private constructor(quick: boolean, postgres: PostgresServer) {
    this.quick = quick;
    this.postgres = postgres;
  }

  static async open(quick: boolean): Promise<Bench> {
    return new Bench(quick, await PostgresServer.start());
  }

  progress(text: string): void {
    process.stderr.write(`${text} …\n`);
  }

  /** A server over a new store with `total` open tasks. */
  async serve(program: readonly string[], kind: "sqlite" | "postgres", total: number): Promise<Served> {
    const at = await this.#makeStore(kind, total);
    const served = await this.start(program, at);
    if (kind === "postgres") {
      await fill(served.url, total);
      await this.postgres.query("VACUUM ANALYZE", new URL((at as { database: string }).database).pathname.slice(1));
    }
    return served;
  }

  /** A server over a store that is there. */
  async start(program: readonly string[], at: StoreAt): Promise<Served> {
    const served = await startServer(program, at, this.dir);
    this.#running.add(served);
    return served;
  }

  async stop(served: Served): Promise<void> {
    await served.stop();
    this.#running.delete(served);
  }

  /** An empty database of its own. */
  database(): Promise<string> {
    return this.postgres.createDatabase(`bench_${++this.#made}`);
  }

  /** A file with `total` tasks, the first `open` of them open. */
  file(total: number, open = total): Promise<string> {
    return makeOurs(join(this.dir, `ledger-${++this.#made}.db`), total, open);
  }

  /** What ours is compared with, by name and version. */
  async peers(): Promise<string> {
    const { rows } = await this.postgres.query("SHOW server_version");
    const packaged = ["pg-boss", "graphile-worker"].map((name) => `${name} ${packageVersion(name)}`);
    const pgbench = /[\d.]+/.exec(version("pgbench", "--version"))?.[0];
    return [`Postgres ${rows[0]?.server_version}`, `pgbench ${pgbench}`, ...packaged].join(", ");
  }

  async end(): Promise<void> {
    await Promise.allSettled([...this.#running].map((served) => served.stop()));
    await this.postgres.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #makeStore(kind: "sqlite" | "postgres", total: number): Promise<StoreAt> {
    return kind === "sqlite" ? { file: await this.file(total) } : { database: await this.database() };
  }
}
