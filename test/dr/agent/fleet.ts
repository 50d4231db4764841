import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { findProcesses } from "../../../src/dr/agent/processes.ts";
import type { Manifest } from "../../../src/dr/manifest/model.ts";
import { readManifest } from "../../../src/dr/manifest/read.ts";
import type { DatabaseReport, HostReport } from "../../../src/dr/report.ts";
import { assess } from "../../../src/dr/status/assess.ts";
import { collect } from "../../../src/dr/status/collect.ts";
import type { DatabaseStatus, Status } from "../../../src/dr/status/status.ts";
import { TestProcess } from "../process.ts";
import { until, type World } from "../world.ts";

const ALAI = join(import.meta.dirname, "../../../bin/alai.ts");

export interface FleetOptions {
  /** Databases of a tier without heartbeats and copies. */
  readonly plain?: readonly string[];
  readonly optional?: readonly string[];
  readonly rpo?: string;
  /** Those of `plain` have a Litestream of their own. */
  readonly apart?: boolean;
  /** Who writes the databases, with the commands of the manifest. */
  readonly services?: readonly {
    readonly name: string;
    readonly start: string;
    readonly stop: string;
    readonly health?: string;
  }[];
  /** Names that clients use. */
  readonly names?: readonly { readonly name: string; readonly kind: string; readonly target: string }[];
}

export type HostName = "anvil" | "forge";

/** The agents of a world's two hosts, as processes of their own; whatever they leave behind is ended with the fleet. */
export class Fleet implements AsyncDisposable {
  readonly world: World;
  manifest: Manifest;
  readonly #agents: TestProcess[] = [];
  readonly #home: string;

  private constructor(world: World, manifest: Manifest) {
    this.world = world;
    this.manifest = manifest;
    this.#home = mkdtempSync(join(world.folder, "agents-"));
  }

  static async make(world: World, options: FleetOptions = {}): Promise<Fleet> {
    return new Fleet(world, readManifest(world.context, await writeManifest(world, options)));
  }

  /** The manifest as a person writes it anew. Agents that run go on with the one that they have read. */
  async rewriteManifest(change: (text: string) => string): Promise<void> {
    writeFileSync(this.manifest.file, change(readFileSync(this.manifest.file, "utf8")));
    this.manifest = readManifest(this.world.context, this.manifest.file);
  }

  /** Looks at storage often: tests wait for what it sees. */
  start(host: HostName, env: Readonly<Record<string, string>> = {}): TestProcess {
    const words = ["--", ALAI, "host", "agent", "--manifest", this.manifest.file, "--host", host, "--poll", "500ms"];
    const agent = new TestProcess(process.execPath, words, {
      ...process.env,
      ...this.world.env,
      HOME: this.#home,
      ALAI_DR_TOKEN: "",
      ...env,
    });
    this.#agents.push(agent);
    return agent;
  }

  /** Null while the agent does not answer. */
  async report(host: HostName): Promise<HostReport | null> {
    const { port } = this.#host(host);
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/report`);
      return (await answer.json()) as HostReport;
    } catch {
      return null;
    }
  }

  /** Waits until a host says something of a database. */
  says(host: HostName, name: string, what: string, look: (one: DatabaseReport, all: HostReport) => boolean) {
    return until(`${host} of ${name}: ${what}`, async () => {
      const report = await this.report(host);
      const one = report?.databases.find((database) => database.name === name);
      return report && one && look(one, report) ? one : null;
    });
  }

  /** What `alai dr status` would say if every database had just been proven by a restore. */
  async status(): Promise<Status> {
    const look = await collect(this.world.context, this.manifest);
    const proof = { epoch: look.storage.epoch ?? 1, txid: null, at: look.at };
    const good = this.manifest.databases.map(({ name }) => ({ ...proof, name }));
    return assess(this.manifest, look, { good, failed: [] });
  }

  untilStatus(what: string, good: (databases: readonly DatabaseStatus[], status: Status) => boolean): Promise<Status> {
    return until(what, async () => {
      const status = await this.status();
      return good(status.databases, status) ? status : null;
    });
  }

  /** Litestreams that hold on to a database of this fleet; of one host only, if named. */
  async litestreams(host?: HostName): Promise<readonly number[]> {
    const hosts = this.manifest.hosts.filter(({ name }) => host === undefined || name === host);
    const found = await Promise.all(
      hosts.map(({ state }) => findProcesses(process.platform, join(state, "litestream"))),
    );
    return found.flat().map(({ pid }) => pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.kill("SIGTERM")));
    await Promise.all(this.#agents.map((agent) => agent.kill()));
    // Children of agents that were killed: their command lines name this world's own folder.
    for (const pid of await this.litestreams()) process.kill(pid, "SIGKILL");
    await until("no process left", async () => (await this.litestreams()).length === 0);
    rmSync(this.#home, { recursive: true, force: true });
  }

  #host(name: string) {
    const host = this.manifest.hosts.find((one) => one.name === name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }
}

async function writeManifest(
  world: World,
  { plain = [], optional = [], rpo = "60s", apart = false, services = [], names = [] }: FleetOptions,
): Promise<string> {
  const [anvil = 0, forge = 0] = await freePorts();
  const at = (part: string) => join(world.folder, part);
  const host = { user: userInfo().username, os: "linux", addresses: ["127.0.0.1"] };
  const tier = { retention: "1h", "snapshot-interval": "10m", "sync-interval": "500ms", rpo };
  const file = at("fleet.yaml");
  const text = {
    hosts: [
      { name: "anvil", role: "primary", ...host, port: anvil, databases: at("databases"), state: at("primary") },
      { name: "forge", role: "standby", ...host, port: forge, databases: at("copies"), state: at("standby") },
    ],
    storage: { ...world.storage, prefix: world.storage.prefix || undefined },
    tiers: [
      { name: "p0", heartbeat: "1s", ...tier },
      { name: "p2", heartbeat: "none", ...tier, ...(apart && { retention: "2h" }), follow: false },
    ],
    databases: [...new Set([...world.databases, ...plain, ...optional])].map((name) => ({
      name,
      tier: plain.includes(name) ? "p2" : "p0",
      ...(optional.includes(name) && { optional: true }),
    })),
    ...(services.length > 0 && { services }),
    ...(names.length > 0 && { names }),
  };
  writeFileSync(file, JSON.stringify(text));
  return file;
}

/** Two with room behind each for the ports of Litestream's metrics. */
async function freePorts(): Promise<number[]> {
  const servers = await Promise.all([0, 0].map(() => listen(0)));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [a = 0, b = 0] = ports;
  return Math.abs(a - b) > 4 ? ports : freePorts();
}

function listen(port: number) {
  return new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
