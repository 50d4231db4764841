import { type ChildProcess, spawn } from "node:child_process";
import { request } from "node:http";
import type { Duplex } from "node:stream";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { bwEnv } from "./child-env.ts";
import type { BwProgram } from "./program.ts";

/** It takes only requests that say this, against pages that resolve names to this machine. */
const HOST = "localhost:8087";
const LIMIT = 60_000;

/**
 * `bw serve` on a socket that only this process and its child have: no port, no file that another program could find. One start
 * (about a second) for as many questions as there are.
 */
export class BwServe {
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  #turn: Promise<unknown> = Promise.resolve();
  #said = "";

  private constructor(child: ChildProcess, socket: Duplex) {
    this.#child = child;
    this.#socket = socket;
    socket.on("error", () => {});
    child.on("error", () => {});
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#said = (this.#said + text).slice(-2000);
    });
  }

  static start(context: Context, { path }: BwProgram, folder: string, session: string): BwServe {
    const child = spawn(path, ["serve", "--hostname", "fd+connected://3"], {
      env: bwEnv(context.env, folder, { BW_SESSION: session }),
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    return new BwServe(child, child.stdio[3] as Duplex);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Asks one thing; they are answered in turn. Throws Exit 69 when bw is gone or silent. @returns `data` of its answer, or its message. */
  ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<{ data: T } | { refused: string }> {
    const mine = this.#turn.then(() => this.#send<T>(method, path, body));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  close(): void {
    this.#socket.destroy();
    this.#child.kill("SIGKILL");
  }

  #send<T>(method: string, path: string, body: unknown): Promise<{ data: T } | { refused: string }> {
    return new Promise((resolve, reject) => {
      const failed = (why: string) =>
        reject(new Exit(EXIT.unavailable, "bw_failed", `Bitwarden's program ${why}.`, this.#said.trim() || undefined));
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const late = setTimeout(() => asking.destroy(new Error("late")), LIMIT);
      const asking = request(
        {
          method,
          path,
          createConnection: () => this.#socket as never,
          headers: {
            host: HOST,
            connection: "keep-alive",
            ...(payload !== undefined && {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(payload),
            }),
          },
        },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (piece) => (text += piece));
          answer.on("end", () => {
            clearTimeout(late);
            try {
              const said = JSON.parse(text) as { success: boolean; message?: string; data?: unknown };
              resolve(said.success ? { data: said.data as T } : { refused: said.message ?? "refused" });
            } catch {
              failed("answered something that is not its own");
            }
          });
        },
      );
      asking.on("error", (error) => {
        clearTimeout(late);
        failed(error.message === "late" ? "did not answer in time" : `ended early (${error.message})`);
      });
      asking.end(payload);
    });
  }
}
