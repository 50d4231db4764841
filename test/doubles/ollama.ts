import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stands in for servers of models: Ollama's `/api/tags`, the `/v1/models` of OpenAI-compatible servers, and Anthropic's. Other
 * addresses are 404 and other methods 405, as with the real ones. What it answers to `/api/tags` is held against Ollama's
 * published schema in test/models/doubles.test.ts.
 */
export interface ModelServer {
  /** Without a path. */
  readonly url: string;
  models: string[];
  /** `silent`: takes connections and never answers, as a program that hangs. */
  mode: "well" | "broken" | "silent" | "page";
  /** What a caller must show; null: nothing. */
  key: string | null;
  /** How often it was asked. */
  readonly asked: number;
  /** Gone, as a program that ended: its port refuses connections. */
  stop(): Promise<void>;
}

export type Speaks = "ollama" | "openai" | "anthropic" | "together";

/** @param port of an earlier one that was stopped; absent: any free one. */
export async function startModelServer(speaks: Speaks, models: readonly string[], port = 0): Promise<ModelServer> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (state.mode === "silent") return;
    if (state.mode === "broken") send(response, 500, { error: "out of memory" });
    else if (state.mode === "page") response.writeHead(200, { "content-type": "text/html" }).end("<html></html>");
    else answer(speaks, state, request, response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const state: ModelServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    models: [...models],
    mode: "well",
    key: null,
    get asked() {
      return asked;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return state;
}

function answer(speaks: Speaks, state: ModelServer, request: IncomingMessage, response: ServerResponse): void {
  send(response, ...answerTo(speaks, state, request));
}

function answerTo(
  speaks: Speaks,
  { models, key }: ModelServer,
  { url, method, headers }: IncomingMessage,
): readonly [status: number, body: unknown] {
  const { pathname } = new URL(url ?? "/", "http://double");
  if (pathname !== (speaks === "ollama" ? "/api/tags" : "/v1/models")) return [404, {}];
  if (method !== "GET") return [405, {}];
  const shown = speaks === "anthropic" ? headers["x-api-key"] : headers.authorization?.replace(/^Bearer /, "");
  if (key !== null && shown !== key) return [401, { error: { message: "no such key" } }];
  if (speaks === "anthropic" && !headers["anthropic-version"])
    return [400, { type: "error", error: { message: "anthropic-version: header is required" } }];
  return [200, LISTINGS[speaks](models)];
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const LISTINGS: Readonly<Record<Speaks, (models: readonly string[]) => unknown>> = {
  ollama: (models) => ({ models: models.map(tag) }),
  openai: (models) => ({ object: "list", data: models.map(openai) }),
  // Together.ai's is the bare list.
  together: (models) => models.map((id) => ({ ...openai(id), type: "chat" })),
  anthropic: (models) => ({
    data: models.map((id) => ({ type: "model", id, display_name: id, created_at: "2026-02-04T00:00:00Z" })),
    has_more: false,
    first_id: models[0] ?? null,
    last_id: models.at(-1) ?? null,
  }),
};

function openai(id: string): object {
  return { id, object: "model", created: 1_770_000_000, owned_by: "library" };
}

/** As a real one lists them: a model that was pulled without a tag has the tag `latest`. */
function tag(given: string): object {
  const name = given.includes(":") ? given : `${given}:latest`;
  return {
    name,
    model: name,
    modified_at: "2026-05-03T23:34:03.409490317+02:00",
    size: 4_920_753_328,
    digest: createHash("sha256").update(name).digest("hex"),
    details: {
      parent_model: "",
      format: "gguf",
      family: "llama",
      families: ["llama"],
      parameter_size: "8.0B",
      quantization_level: "Q4_K_M",
    },
  };
}
