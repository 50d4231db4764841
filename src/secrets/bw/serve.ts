import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { bwEnv } from "./child-env.ts";
import type { BwProgram } from "./program.ts";

/** It takes only requests that say this, against pages that resolve names to this machine. */
const HOST = "localhost:8087";
const LIMIT = 60_000;
/** A large file on a slow line. */
const FILE_LIMIT = 900_000;
const LAST_WORDS = 1000;

type Method = "GET" | "POST" | "DELETE";

/** What is sent: JSON, or a form with a file in it. */
interface Payload {
  readonly type: string;
  readonly bytes: Buffer;
}

/** An answer of bw as it came. */
interface Answered {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/**
 * `bw serve` on a socket that only this process and its child have: no port, no file that another program could find. One start
 * (about a second) for as many questions as there are.
 */
export class BwServe {
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  /** Fulfilled when the process is no more. */
  readonly ended: Promise<void>;
  #turn: Promise<unknown> = Promise.resolve();
  #said = "";

  private constructor(child: ChildProcess, socket: Duplex) {
    this.#child = child;
    this.#socket = socket;
    socket.on("error", () => {});
    this.ended = new Promise((resolve) => {
      child.on("error", () => resolve()).on("exit", () => resolve());
    });
    // What it started may hold on to its end. Not at once: its last answer may be on the way.
    this.ended.then(() => setTimeout(() => socket.destroy(), LAST_WORDS).unref());
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#said = (this.#said + text).slice(-2000);
    });
  }

  /** @param server whom it may ask. */
  static start(context: Context, { path }: BwProgram, folder: string, session: string, server: string): BwServe {
    const child = spawn(path, ["serve", "--hostname", "fd+connected://3"], {
      env: bwEnv(context.env, folder, { BW_SESSION: session }, server),
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
  async ask<T>(
    method: Method,
    path: string,
    body?: unknown,
    limit = LIMIT,
  ): Promise<{ data: T } | { refused: string }> {
    const payload = body === undefined ? undefined : { type: JSON_TYPE, bytes: Buffer.from(JSON.stringify(body)) };
    return this.#read<T>(await this.#inTurn(method, path, payload, limit));
  }

  /** Fetches a file: its bytes never touch a disk. */
  async fetch(path: string): Promise<{ data: Buffer } | { refused: string }> {
    const answer = await this.#inTurn("GET", path, undefined, FILE_LIMIT);
    return answer.type.startsWith("application/octet-stream") ? { data: answer.body } : this.#read<Buffer>(answer);
  }

  /** Sends a file. */
  async send<T>(path: string, name: string, bytes: Buffer): Promise<{ data: T } | { refused: string }> {
    return this.#read<T>(await this.#inTurn("POST", path, formOf(name, bytes), FILE_LIMIT));
  }

  close(): void {
    this.#socket.destroy();
    this.#child.kill("SIGKILL");
  }

  #inTurn(method: Method, path: string, payload: Payload | undefined, limit: number): Promise<Answered> {
    const mine = this.#turn.then(() => this.#exchange(method, path, payload, limit));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  #read<T>({ status, body }: Answered): { data: T } | { refused: string } {
    let said: { success: boolean; message?: string; data?: unknown };
    try {
      said = JSON.parse(body.toString("utf8"));
    } catch {
      // Something that bw did not expect: it says only that much, in plain text, and goes on.
      if (status >= 400) return { refused: oneLine(body.toString("utf8", 0, 200)) };
      throw this.#failure("answered something that is not its own");
    }
    return said.success ? { data: said.data as T } : { refused: said.message ?? "refused" };
  }

  #failure(why: string): Exit {
    return new Exit(EXIT.unavailable, "bw_failed", `Bitwarden's program ${why}.`, lastLine(this.#said));
  }

  /** Settles in any case: with the answer, or Exit 69 when bw is gone, its answer is cut off, or `limit` is over. */
  async #exchange(method: Method, path: string, payload: Payload | undefined, limit: number): Promise<Answered> {
    // A request on a socket that is gone hears nothing, not even that.
    if (this.#socket.destroyed) throw this.#failure(GONE);
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    const closed = () => reject(new Error(GONE));
    const late = setTimeout(() => reject(new Error(LATE)), limit);
    this.#socket.once("close", closed);
    const headers = {
      host: HOST,
      connection: "keep-alive",
      ...(payload && { "content-type": payload.type, "content-length": payload.bytes.length }),
    };
    const asking = request({ method, path, headers, createConnection: () => this.#socket as never }, (answer) =>
      wholeOf(answer).then(resolve, reject),
    );
    asking.on("error", reject).end(payload?.bytes);
    try {
      return await promise;
    } catch (error) {
      // What came of it later would be taken for the answer to the next question.
      this.#socket.destroy();
      throw this.#failure(error instanceof Error && error.message === LATE ? LATE : GONE);
    } finally {
      clearTimeout(late);
      this.#socket.off("close", closed);
    }
  }
}

const GONE = "ended before it had answered";
const LATE = "did not answer in time";

/** Throws when it is cut off. */
async function wholeOf(answer: IncomingMessage): Promise<Answered> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(piece as Buffer);
  if (!answer.complete) throw new Error(GONE);
  return {
    status: answer.statusCode ?? 0,
    type: answer.headers["content-type"] ?? "",
    body: Buffer.concat(pieces),
  };
}

/** When it crashes it says pages. */
function lastLine(said: string): string | undefined {
  const line = said.trim().split("\n").at(-1);
  return line ? truncate(oneLine(line), 200) : undefined;
}

const JSON_TYPE = "application/json";

/** The name goes in the form of RFC 5987: bw takes a plain one for Latin-1. */
function formOf(name: string, bytes: Buffer): Payload {
  const border = `alai-${randomUUID()}`;
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  const head = `--${border}\r\ncontent-disposition: form-data; name="file"; filename*=UTF-8''${encoded}\r\ncontent-type: application/octet-stream\r\n\r\n`;
  return {
    type: `multipart/form-data; boundary=${border}`,
    bytes: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${border}--\r\n`)]),
  };
}
