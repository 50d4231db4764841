import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { look } from "../../src/models/look.ts";
import { startLightRag } from "../doubles/lightrag.ts";
import { startModelServer } from "../doubles/ollama.ts";

/** The doubles say what the real ones are documented to say, and a look tells all their states apart. */

/** https://docs.ollama.com/api/tags (ollama/ollama docs/openapi.yaml, ListResponse and ModelSummary): field, type. */
const OLLAMA = {
  summary: {
    name: "string",
    model: "string",
    modified_at: "string",
    size: "number",
    digest: "string",
    details: "object",
  },
  details: {
    ...{ format: "string", family: "string", families: "object", parameter_size: "string" },
    quantization_level: "string",
  },
};

/** LightRAG's `GET /health` (HKUDS/LightRAG lightrag/api/lightrag_server.py, get_status): what has been there in all releases of 1.x. */
const LIGHTRAG = [
  ...["llm_binding", "llm_binding_host", "llm_model", "embedding_binding", "embedding_binding_host", "embedding_model"],
  ...["kv_storage", "doc_status_storage", "graph_storage", "vector_storage"],
];

function types(value: unknown, names: object): object {
  const all = value as Record<string, unknown>;
  return Object.fromEntries(Object.keys(names).map((name) => [name, typeof all[name]]));
}

test("Ollama's double lists models as its published schema says, and has no other address", async () => {
  const server = await startModelServer("ollama", ["llama3.1:8b", "mistral"]);
  const { models } = (await (await fetch(`${server.url}/api/tags`)).json()) as {
    models: { name: string; details: unknown; modified_at: string; digest: string }[];
  };
  expect(models.map(({ name }) => name)).toEqual(["llama3.1:8b", "mistral:latest"]);
  for (const model of models) {
    expect(types(model, OLLAMA.summary)).toEqual(OLLAMA.summary);
    expect(types(model.details, OLLAMA.details)).toEqual(OLLAMA.details);
    expect(Date.parse(model.modified_at)).not.toBeNaN();
    expect(model.digest).toMatch(/^[0-9a-f]{64}$/);
  }
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(404);
  expect((await fetch(`${server.url}/api/tags`, { method: "POST" })).status).toBe(405);
  await server.stop();
});

test("LightRAG's double says its settings as documented", async () => {
  const rag = await startLightRag();
  const health = (await (await fetch(`${rag.url}/health`)).json()) as Record<string, unknown>;
  expect(health).toMatchObject({ status: "healthy", configuration: expect.any(Object) });
  expect(Object.keys(health.configuration as object)).toEqual(expect.arrayContaining(LIGHTRAG));
  rag.key = "secret";
  expect((await fetch(`${rag.url}/health`)).status).toBe(403);
  await rag.stop();
});

test.each([
  ["ollama", null, null],
  ["openai", null, null],
  ["together", "k", "openai"],
  ["anthropic", "k", null],
] as const)("a look at %s finds its models", async (speaks, key, kind) => {
  const server = await startModelServer(speaks, ["a:1", "b"]);
  server.key = key;
  const asked = { kind: kind ?? (speaks as "ollama" | "openai" | "anthropic"), url: server.url, key };
  const found = await look({}, asked, 20_000);
  expect(found).toMatchObject({ trouble: null, latency: expect.any(Number) });
  expect("names" in found && found.names).toEqual(expect.arrayContaining(["a:1"]));
  await server.stop();
});

test("a look tells a host that is gone from a program that hangs, is broken, is something else, or wants a key", async () => {
  const server = await startModelServer("ollama", ["a"]);
  const asked = { kind: "ollama", url: server.url, key: null } as const;
  const troubleIn = async (mode: typeof server.mode, limit = 20_000) => {
    server.mode = mode;
    return (await look({}, asked, limit)).trouble;
  };
  expect(await troubleIn("silent", 1000)).toEqual({ kind: "timeout", message: "no answer within 1 s" });
  expect(await troubleIn("broken")).toEqual({ kind: "http", message: "it answers 500" });
  expect(await troubleIn("page")).toEqual({ kind: "http", message: "it answers, but with no list of models" });
  server.mode = "well";
  server.key = "right";
  expect(await look({}, asked, 20_000)).toMatchObject({ trouble: null, names: null });
  expect(await look({}, { ...asked, key: "wrong" }, 20_000)).toEqual({
    trouble: { kind: "http", message: "it refuses the key (401)" },
  });
  await server.stop();
  expect(await look({}, asked, 20_000)).toMatchObject({ trouble: { kind: "connection" } });
  // A name that is reserved: nobody has it.
  expect(await look({}, { ...asked, url: "http://forge.invalid" }, 20_000)).toMatchObject({
    trouble: { kind: "connection" },
  });
});

test("a host that takes no connection any more is gone, not slow", async () => {
  // Its queue is full and nobody empties it: to those who come now it looks like a host without power.
  const script =
    'require("net").createServer().listen(0, "127.0.0.1", 1, function () { console.log(this.address().port) })';
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const queue: Socket[] = [];
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const port = Number(line.toString());
    child.kill("SIGSTOP");
    for (let n = 0; n < 8; n++) queue.push(connect(port, "127.0.0.1").on("error", () => {}));
    await vi.waitFor(() => expect(queue.some(({ connecting }) => !connecting)).toBe(true), 20_000);
    const found = await look({}, { kind: "ollama", url: `http://127.0.0.1:${port}`, key: null }, 500);
    expect(found).toEqual({ trouble: { kind: "connection", message: "it cannot be connected to" } });
  } finally {
    for (const socket of queue) socket.destroy();
    child.kill("SIGKILL");
  }
});
