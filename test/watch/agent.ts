import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * What answers `/health` and `/report` on these addresses and one port, told by lines of standard input to let one go or to take it
 * again, and what to say.
 */
const SERVER = `
const { createServer } = require("node:http");
const [name, port, ...addresses] = process.argv.slice(1);
const servers = new Map();
let [status, health, report] = [200, { status: "ok", host: name, role: "primary", waiting: null, alarms: [] }, []];
const listen = (address) => new Promise((resolve) => {
  const server = createServer((request, response) => {
    const body = request.url === "/report" ? { host: name, alarms: report } : health;
    response.writeHead(request.url === "/report" ? 200 : status, { "content-type": "application/json" }).end(JSON.stringify(body));
  }).listen(Number(port), address, resolve);
  servers.set(address, server);
});
process.stdin.setEncoding("utf8").on("data", async (text) => {
  for (const line of text.trim().split("\\n")) {
    const [verb, address] = line.split(" ");
    if (verb === "say") {
      const said = JSON.parse(line.slice(4));
      [status, health, report] = [said.status, { ...health, ...said.health }, said.report];
    } else if (verb === "listen") await listen(address);
    else await new Promise((resolve) => { servers.get(address).close(resolve); servers.get(address).closeAllConnections(); });
    console.log("done");
  }
}).on("end", () => process.exit());
Promise.all(addresses.map(listen)).then(() => console.log("ready"));
`;

/** A host's agent in a process of its own, which can be killed, frozen, and cut off from one of its networks. */
export class Agent implements AsyncDisposable {
  readonly port: number;
  readonly addresses: readonly string[];
  #child: ChildProcess | null = null;

  private constructor(port: number, addresses: readonly string[]) {
    this.port = port;
    this.addresses = addresses;
  }

  static async start(addresses: readonly string[] = ["127.0.0.1", "127.0.0.2"]): Promise<Agent> {
    const agent = new Agent(await freePort(addresses), addresses);
    await agent.boot();
    return agent;
  }

  async boot(): Promise<void> {
    const words = ["-e", SERVER, "anvil", String(this.port), ...this.addresses];
    this.#child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin?.on("error", () => {});
    await this.#hears();
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async cut(address: string): Promise<void> {
    this.#child?.stdin?.write(`close ${address}\n`);
    await this.#hears();
  }

  async mend(address: string): Promise<void> {
    this.#child?.stdin?.write(`listen ${address}\n`);
    await this.#hears();
  }

  /** @param health what differs in it. @param status of its HTTP. */
  async says(health: object, report: readonly object[] = [], status = 200): Promise<void> {
    this.#child?.stdin?.write(`say ${JSON.stringify({ health, report, status })}\n`);
    await this.#hears();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #hears(): Promise<void> {
    const { stdout } = this.#child ?? {};
    if (stdout) await once(stdout, "data");
  }
}

/** Below those that systems give away by themselves, so that it is still free when the agent comes back. */
async function freePort(addresses: readonly string[]): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(addresses.map((address) => isFree(port, address)));
    if (free.every(Boolean)) return port;
  }
}

function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, address, () => server.close(() => resolve(true)));
  });
}
