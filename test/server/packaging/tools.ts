import { spawnSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A Postgres with all its tools: the npm package that other tests use has the server alone, and pg_dump must be of the
 * server's version. From Debian's `postgresql`, 15 or newer.
 */
export class PostgresWithTools {
  readonly #folder: string;
  readonly #bin: string;
  readonly #port: number;

  private constructor(folder: string, bin: string, port: number) {
    this.#folder = folder;
    this.#bin = bin;
    this.#port = port;
  }

  /** Where its programs are; null where it is not installed. */
  static find(): string | null {
    const versions = "/usr/lib/postgresql";
    if (!existsSync(versions)) return null;
    const newest = readdirSync(versions)
      .map(Number)
      .filter((version) => version >= 15 && existsSync(join(versions, String(version), "bin/pg_ctl")))
      .sort((a, b) => b - a)[0];
    return newest === undefined ? null : join(versions, String(newest), "bin");
  }

  static async start(bin: string): Promise<PostgresWithTools> {
    const folder = mkdtempSync(join(tmpdir(), "alai-pg-tools-"));
    const server = new PostgresWithTools(folder, bin, await freePort());
    const password = join(folder, "pw");
    writeFileSync(password, "p%w:d");
    for (const path of [folder, password]) server.#give(path);
    const data = join(folder, "data");
    server.#run(
      "initdb",
      "-D",
      data,
      "-U",
      "alai",
      "-A",
      "scram-sha-256",
      `--pwfile=${password}`,
      "-E",
      "UTF8",
      "--no-sync",
    );
    const options = `-p ${server.#port} -h 127.0.0.1 -k ${folder} -c fsync=off`;
    server.#run("pg_ctl", "-D", data, "-w", "-l", join(folder, "log"), "-o", options, "start");
    return server;
  }

  /** Its password has to be escaped, as one made by another program may. */
  url(database: string): string {
    return `postgres://alai:p%25w%3Ad@127.0.0.1:${this.#port}/${database}`;
  }

  remove(): void {
    this.#run("pg_ctl", "-D", join(this.#folder, "data"), "-m", "immediate", "stop");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(program: string, ...words: readonly string[]): void {
    const owner = ownerOfProcess();
    const { status, stderr, error } = spawnSync(join(this.#bin, program), words, {
      ...owner,
      cwd: this.#folder,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
    });
    if (status !== 0) throw new Error(`${program}: ${stderr}${error ?? ""}`);
  }

  #give(path: string): void {
    const owner = ownerOfProcess();
    if (owner) chownSync(path, owner.uid, owner.gid);
  }
}

/** Postgres refuses to run as root: then it runs as nobody. */
function ownerOfProcess(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const nobody = readFileSync("/etc/passwd", "utf8").match(/^nobody:[^:]*:(\d+):(\d+):/m);
  if (!nobody) throw new Error("Postgres cannot run as root, and this machine has no user nobody");
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
