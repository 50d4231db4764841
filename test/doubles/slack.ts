import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { CUT_AT, METHODS, WEBHOOK_ERRORS } from "./slack-published.ts";

/** A message as it stands in a conversation. */
export interface Posted {
  readonly channel: string;
  readonly text: string;
  readonly by: "api" | "webhook";
  readonly at: number;
}

/** A request as it came in, taken or not. */
export interface Asked {
  readonly path: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly at: number;
}

type Said = Readonly<Record<string, unknown>>;

const TYPES = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/**
 * Slack, as far as `alai watch` uses it: chat.postMessage, conversations.open and one incoming webhook. It refuses what Slack
 * refuses, in Slack's words (slack-published.ts), so that a client that is taken here says what Slack understands.
 */
export class Slack implements AsyncDisposable {
  readonly token = "xoxb-0000-not-a-real-token";
  scopes: string[] = ["chat:write", "im:write"];
  /** By id or name, with how they are. */
  readonly channels = new Map<string, "open" | "archived" | "not_in">([["#ops", "open"]]);
  readonly users = new Set(["U0FOUNDER1"]);
  webhookChannel: "open" | "archived" | "prohibited" | "removed" = "open";
  readonly posted: Posted[] = [];
  readonly asked: Asked[] = [];
  /** Takes a message and breaks the connection instead of answering, for so many requests. */
  cutAfterTaking = 0;
  readonly #server: Server;
  readonly #marks = new Map<string, string>();
  #limitedUntil = 0;
  #down = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Slack> {
    const server = createServer((request, response) => void slack.#serve(request, response));
    const slack = new Slack(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return slack;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get api(): string {
    return `${this.url}/api`;
  }

  get webhook(): string {
    return `${this.url}/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX`;
  }

  /** Everything is refused with 429 until then. */
  limit(seconds: number): void {
    this.#limitedUntil = Date.now() + seconds * 1000;
  }

  /** Every connection is broken off, until `comeBack`. */
  goDown(): void {
    this.#down = true;
  }

  comeBack(): void {
    this.#down = false;
  }

  texts(channel?: string): string[] {
    return this.posted
      .filter((message) => channel === undefined || message.channel === channel)
      .map(({ text }) => text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    if (this.#down) return void request.socket.destroy();
    const path = request.url ?? "";
    this.asked.push({ path, args: objectOf(body) ?? {}, at: Date.now() });
    const wait = Math.ceil((this.#limitedUntil - Date.now()) / 1000);
    if (wait > 0) return this.#refuseFor(response, path, wait);
    const before = this.posted.length;
    const answer = path.startsWith("/api/")
      ? { status: 200, body: JSON.stringify(this.#call(path.slice(5), request.headers, body)) }
      : this.#hook(path, request.headers, body);
    if (this.posted.length > before && this.cutAfterTaking > 0) {
      this.cutAfterTaking--;
      return void request.socket.destroy();
    }
    const type = path.startsWith("/api/") ? "application/json; charset=utf-8" : "text/html";
    response.writeHead(answer.status, { "content-type": type }).end(answer.body);
  }

  #refuseFor(response: ServerResponse, path: string, seconds: number): void {
    const body = path.startsWith("/api/") ? '{"ok":false,"error":"ratelimited"}' : "rate_limited";
    response.writeHead(429, { "retry-after": String(seconds) }).end(body);
  }

  #call(name: string, headers: IncomingHttpHeaders, body: string): Said {
    const method = METHODS[name];
    if (!method) return refuse("unknown_method");
    const type = headers["content-type"]?.split(";")[0]?.trim();
    if (type === undefined) return refuse("missing_post_type");
    if (!TYPES.includes(type)) return refuse("invalid_post_type");
    const given = /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1];
    if (given === undefined) return refuse("not_authed");
    if (given !== this.token) return refuse("invalid_auth");
    if (!method.scopes.some((scope) => this.scopes.includes(scope)))
      return { ...refuse("missing_scope"), needed: method.scopes.join(","), provided: this.scopes.join(",") };
    if (!isJson(body)) return refuse("invalid_json");
    const args = objectOf(body);
    if (!args) return refuse("json_not_object");
    if (Object.keys(args).some((arg) => !/^\w{1,60}$/.test(arg))) return refuse("invalid_arg_name");
    return name === "chat.postMessage" ? this.#post(args) : this.#open(args);
  }

  #post({ channel, text, client_msg_id: mark }: Said): Said {
    const state = this.channels.get(String(channel ?? ""));
    if (state === undefined) return refuse("channel_not_found");
    if (state === "not_in") return refuse("not_in_channel");
    if (state === "archived") return refuse("is_archived");
    if (typeof text !== "string" || text.trim() === "") return refuse("no_text");
    const known = this.#marks.get(String(mark ?? ""));
    const ts = known ?? `${Math.floor(Date.now() / 1000)}.${String(this.posted.length).padStart(6, "0")}`;
    if (known === undefined) {
      this.posted.push({ channel: String(channel), text: text.slice(0, CUT_AT), by: "api", at: Date.now() });
      if (mark !== undefined) this.#marks.set(String(mark), ts);
    }
    return { ok: true, channel, ts, message: { type: "message", text, ts } };
  }

  #open({ users }: Said): Said {
    if (typeof users !== "string" || users === "") return refuse("users_list_not_supplied");
    if (!this.users.has(users)) return refuse("user_not_found");
    const id = `D${users.slice(1)}`;
    this.channels.set(id, "open");
    return { ok: true, no_op: true, already_open: true, channel: { id } };
  }

  #hook(path: string, headers: IncomingHttpHeaders, body: string): { status: number; body: string } {
    const no = (word: string) => ({ status: WEBHOOK_ERRORS[word] ?? 500, body: word });
    if (!this.webhook.endsWith(path)) return no(path.startsWith("/services/T00000000/") ? "invalid_token" : "no_team");
    if (this.webhookChannel === "removed") return no("no_service");
    if (this.webhookChannel === "archived") return no("channel_is_archived");
    if (this.webhookChannel === "prohibited") return no("action_prohibited");
    const args = headers["content-type"]?.startsWith("application/json") ? objectOf(body) : null;
    if (!args) return no("invalid_payload");
    if (typeof args.text !== "string" || args.text === "") return no("no_text");
    this.posted.push({ channel: "webhook", text: args.text.slice(0, CUT_AT), by: "webhook", at: Date.now() });
    return { status: 200, body: "ok" };
  }
}

function refuse(error: string): Said {
  return { ok: false, error };
}

async function read(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

function objectOf(body: string): Said | null {
  if (!isJson(body)) return null;
  const value = JSON.parse(body) as unknown;
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Said) : null;
}
