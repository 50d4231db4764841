import type { EndpointKind } from "./document.ts";

/** Where an endpoint lists its models, below its address. */
export const LISTING: Readonly<Record<EndpointKind, string>> = {
  // https://docs.ollama.com/api/tags
  ollama: "/api/tags",
  // https://platform.openai.com/docs/api-reference/models/list
  openai: "/v1/models",
  // https://platform.claude.com/docs/en/api/models-list; a page of it has 20 unless asked.
  anthropic: "/v1/models?limit=1000",
};

/** The names in a listing; null for what is none. @param body as text. */
export function namesIn(kind: EndpointKind, body: string): readonly string[] | null {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return null;
  }
  // Together.ai's is the bare list.
  const list = Array.isArray(json) ? json : fieldOf(json, kind === "ollama" ? "models" : "data");
  if (!Array.isArray(list)) return null;
  return list.flatMap((item) =>
    ["name", "model", "id"].map((key) => fieldOf(item, key)).filter((name) => typeof name === "string"),
  );
}

/** Ollama calls a model without a tag `name:latest`. */
export function isListed(kind: EndpointKind, names: readonly string[], model: string): boolean {
  const full = (name: string) => (kind === "ollama" && !name.includes(":") ? `${name}:latest` : name);
  return names.some((name) => full(name) === full(model));
}

function fieldOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
