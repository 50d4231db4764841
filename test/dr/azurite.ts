import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sharedKey } from "../../src/dr/storage/azure/shared-key.ts";
import { Gate } from "./gate.ts";

const PROGRAM = join(import.meta.dirname, "../../node_modules/azurite/dist/src/blob/main.js");

/** Azurite's own account: no secret, everybody's is the same. */
export const ACCOUNT = "devstoreaccount1";
export const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/** What alai and Litestream need to sign in to it. */
export const AZURITE_ENV = { LITESTREAM_AZURE_ACCOUNT_KEY: KEY } as const;

/**
 * A real Azurite, and a gate in front of it that can be told to misbehave. `endpoint` leads through the gate, `direct` does not.
 * It takes about two seconds to start: share one in a test file, with a container of its own for each test.
 */
export class Azurite implements AsyncDisposable {
  readonly gate: Gate;
  readonly #folder: string;
  #child: ChildProcess | null = null;
  #port = 0;

  private constructor(gate: Gate, folder: string) {
    this.gate = gate;
    this.#folder = folder;
  }

  static async start(): Promise<Azurite> {
    const azurite = new Azurite(await Gate.start(), mkdtempSync(join(tmpdir(), "alai-azurite-")));
    await azurite.restart();
    return azurite;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** For the manifest: through the gate. */
  get endpoint(): string {
    return `${this.gate.url}/${ACCOUNT}`;
  }

  get direct(): string {
    return `http://127.0.0.1:${this.#port}/${ACCOUNT}`;
  }

  /** After `stop`: on the same data, at the same `endpoint`. */
  async restart(): Promise<void> {
    const words = ["--blobPort", `${this.#port}`, "--blobHost", "127.0.0.1", "--location", this.#folder];
    const quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"];
    const stdio = ["ignore", "pipe", "inherit"] as const;
    const child = spawn(process.execPath, [PROGRAM, ...words, ...quiet], { stdio: [...stdio] });
    this.#child = child;
    this.#port = await listening(child);
    this.gate.leadTo(this.#port);
  }

  /** Empty, with no access but the account's. */
  async createContainer(name: string): Promise<void> {
    const url = new URL(`${this.direct}/${name}?restype=container`);
    const headers = { "x-ms-version": "2023-11-03", "x-ms-date": new Date().toUTCString() };
    const authorization = sharedKey(ACCOUNT, KEY, { method: "PUT", url, headers });
    const answer = await fetch(url, { method: "PUT", headers: { ...headers, authorization } });
    if (answer.status !== 201) throw new Error(`Azurite made no container ${name}: ${await answer.text()}`);
  }

  /** It takes connections and never answers. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /**
   * Gone, at once for who asks. By SIGTERM, because Azurite keeps its index in memory for seconds: killed it would forget what it
   * acknowledged, which the storage that it stands in for never does.
   */
  async stop(): Promise<void> {
    this.gate.leadTo(0);
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGCONT");
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
    await ended;
    clearTimeout(late);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.gate[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns the port that it says it listens on. */
async function listening(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error("no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port) {
      child.stdout.resume();
      return Number(port);
    }
  }
  throw new Error(`Azurite ended with ${child.exitCode}`);
}
