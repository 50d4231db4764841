import { once } from "node:events";
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import type { Scope } from "@alai/core/wire/scopes";
import { type AuditEntry, type AuditInput, auditEntry } from "../../../server/src/audit/entry.ts";
import { createGate } from "../../../server/src/auth/gate.ts";
import { RATE_DEFAULTS, type RateLimits, rateLimiter } from "../../../server/src/auth/rate-limit.ts";
import { AuthError, type Authenticator, type Subject } from "../../../server/src/auth/subject.ts";

/** What came of one request. */
export interface Answer {
  readonly status: number;
  readonly code: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly subject: {
    readonly id: string;
    readonly actor: string;
    readonly scopes: readonly Scope[];
    readonly others: boolean;
  } | null;
}

/** The gate behind a real HTTP server: what Node's parser does to headers is part of what is tested. */
export class Door {
  readonly audited: AuditEntry[] = [];
  readonly #server;

  constructor(authenticator: Authenticator, limits: Partial<RateLimits> = { failuresPerMinute: 0 }) {
    const audit = {
      record: (input: AuditInput) => void this.audited.push(auditEntry(input, Date.now())),
      flush: async () => {},
      close: async () => {},
    };
    const gate = createGate({ authenticator, audit, limits: rateLimiter({ ...RATE_DEFAULTS, ...limits }) });
    this.#server = createServer(async (request, response) => {
      const { headers, rawHeaders } = request;
      const parts = { id: "r1", headers, rawHeaders, address: "192.0.2.77", route: "POST /tasks" };
      const scope = (headers["x-scope"] as Scope | undefined) ?? "tasks.write";
      try {
        const subject = await gate.enter(parts, scope, (values) => {
          for (const [name, value] of Object.entries(values)) response.setHeader(name, value);
        });
        response.end(JSON.stringify({ status: 200, subject: plain(subject) }));
      } catch (error) {
        const { status = 500, code = "bug", message } = error as AuthError;
        const hint = error instanceof AuthError ? error.hint : undefined;
        response.statusCode = status;
        response.end(JSON.stringify({ code, message, hint }));
      }
    });
  }

  async open(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  /** @param headers name, value, name, value: a name may stand twice. */
  async ask(headers: readonly string[], path = "/tasks"): Promise<Answer> {
    const { port } = this.#server.address() as AddressInfo;
    const flat = ["host", "127.0.0.1", ...headers];
    const request = send({ port, host: "127.0.0.1", method: "POST", path, headers: flat, agent: false });
    request.end();
    const [response] = await once(request, "response");
    let body = "";
    for await (const chunk of response) body += chunk;
    const { code = "", subject = null } = body.startsWith("{") ? JSON.parse(body) : {};
    return { status: response.statusCode, code, body, headers: response.headers, subject };
  }

  /** Asks with a bearer token. */
  bearer(token: string, scope: Scope = "tasks.write"): Promise<Answer> {
    return this.ask(["authorization", `Bearer ${token}`, "x-scope", scope]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function plain({ id, actor, scopes, mayActForOthers }: Subject): Answer["subject"] {
  return { id, actor, scopes: [...scopes], others: mayActForOthers };
}
