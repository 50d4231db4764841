import type { Millis } from "@alai/core";
import type { EndpointStatus, StatusDocument } from "./document.ts";
import { afterLook, type Trouble } from "./health.ts";
import { isListed } from "./listing.ts";
import type { Look } from "./look.ts";

/** The document after one round. Pure. @param looks one for each endpoint, in the document's order. @param at when it ended. */
export function advance(document: StatusDocument, looks: readonly Look[], at: Millis): StatusDocument {
  return {
    ...document,
    at,
    endpoints: document.endpoints.map((endpoint, index) => {
      const look = looks[index];
      return look ? seen(endpoint, look, at) : endpoint;
    }),
  };
}

/** True while something is not known at all: it is looked at again at once instead of after the interval. */
export function isOpen({ endpoints }: StatusDocument): boolean {
  return endpoints.some(({ health, models }) =>
    [health, ...models.map((model) => model.health)].some(({ state }) => state === "unknown"),
  );
}

function seen(endpoint: EndpointStatus, look: Look, at: Millis): EndpointStatus {
  const models = endpoint.models.map(({ name, health }) => ({
    name,
    health: afterLook(health, modelTrouble(endpoint, look, name), at),
  }));
  const health = afterLook(endpoint.health, look.trouble, at);
  if (look.trouble) return { ...endpoint, health, models };
  return { ...endpoint, health, latency: Math.round(look.latency * 10) / 10, listed: look.names !== null, models };
}

function modelTrouble({ kind }: EndpointStatus, look: Look, model: string): Trouble | null {
  if (look.trouble) return look.trouble;
  // What does not say which models it has is believed to have those that the manifest names.
  if (!look.names || isListed(kind, look.names, model)) return null;
  return { kind: "missing", message: `it has no model ${model}` };
}
