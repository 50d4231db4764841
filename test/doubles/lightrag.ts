import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Stands in for LightRAG's server: `GET /health` as its API documents it, behind its key where one is set. What it says is held
 * against the documented keys in test/models/doubles.test.ts.
 */
export interface LightRag {
  readonly url: string;
  /** Settings as they are live. */
  readonly configuration: Record<string, unknown>;
  /** What a caller must show as X-API-Key; null: nothing. */
  key: string | null;
  stop(): Promise<void>;
}

export async function startLightRag(): Promise<LightRag> {
  const server = createServer(({ url, method, headers }, response) => {
    const [status, body] =
      url !== "/health"
        ? [404, { detail: "Not Found" }]
        : method !== "GET"
          ? [405, { detail: "Method Not Allowed" }]
          : rag.key !== null && headers["x-api-key"] !== rag.key
            ? [403, { detail: "Invalid API Key" }]
            : [200, health(rag.configuration)];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const rag: LightRag = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    configuration: {
      llm_binding: "ollama",
      llm_binding_host: "http://10.0.0.2:11434",
      llm_model: "qwen2.5-coder:32b",
      embedding_binding: "ollama",
      embedding_binding_host: "http://10.0.0.1:11434",
      embedding_model: "bge-m3:latest",
      kv_storage: "JsonKVStorage",
      doc_status_storage: "JsonDocStatusStorage",
      graph_storage: "Neo4JStorage",
      vector_storage: "NanoVectorDBStorage",
      max_graph_nodes: 1000,
      enable_llm_cache: true,
      workspace: "",
    },
    key: null,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return rag;
}

function health(configuration: Record<string, unknown>): unknown {
  return {
    status: "healthy",
    working_directory: "/var/lib/rag",
    input_directory: "/var/lib/inputs",
    configuration,
    auth_mode: "disabled",
    pipeline_busy: false,
    core_version: "1.4.9",
    api_version: "0243",
  };
}
