import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SqliteLedger } from "../../core/src/sqlite/ledger.ts";
import type { Order } from "./client.ts";
import { type Operation, type Outcome, readLines, toOperations } from "./history.ts";
import type { Request } from "./record.ts";

const CLIENT = fileURLToPath(new URL("./client.ts", import.meta.url));

/** Client processes that a test directs one by one, on a ledger with the one task 1. */
export class Clients {
  readonly #folder = mkdtempSync(join(tmpdir(), "alai-clients-"));
  readonly file = join(this.#folder, "ledger.db");
  readonly #all: ChildProcess[] = [];

  static async open(): Promise<Clients> {
    const clients = new Clients();
    const ledger = await SqliteLedger.open(clients.file, { missing: "create" });
    await ledger.add([{ title: "The only one" }], { actor: "lin", session: "setup" });
    ledger.close();
    return clients;
  }

  /** @param dieAt the failpoint at which it kills itself. */
  async start(holder: string, dieAt = ""): Promise<ChildProcess> {
    const args = [this.file, this.#out(this.#all.length), holder, dieAt];
    const child = fork(CLIENT, args, { execPath: process.execPath, execArgv: [] });
    this.#all.push(child);
    await answer(child);
    return child;
  }

  /** The outcome, or null when the client died over it. */
  async run(child: ChildProcess, request: Omit<Request, "task">, at = 0): Promise<Outcome | null> {
    const order: Order = { request: { task: 1, ...request }, at };
    const outcome = answer(child);
    child.send(order);
    return outcome;
  }

  history(): Operation[] {
    const files = this.#all.map((_, i) => this.#out(i)).filter((out) => existsSync(out));
    return files.flatMap((out) => toOperations(readLines(out), [1], Date.now()));
  }

  /** Ends every client, stopped ones too, and leaves nothing behind. */
  async end(): Promise<void> {
    const running = this.#all.filter((child) => child.exitCode === null && child.signalCode === null);
    const ended = Promise.all(running.map((child) => once(child, "exit")));
    for (const child of running) child.kill("SIGKILL");
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #out(i: number): string {
    return join(this.#folder, `${i}.ndjson`);
  }
}

function answer(child: ChildProcess): Promise<Outcome | null> {
  return Promise.race([
    once(child, "message").then(([message]) => (message as { outcome: Outcome | null }).outcome),
    once(child, "exit").then(() => null),
  ]);
}
