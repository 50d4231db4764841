import type { Manifest, ModelsSpec } from "../dr/manifest/model.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import type { EndpointStatus, StatusDocument, Target } from "./document.ts";
import { UNKNOWN } from "./health.ts";

/** What the manifest says, with nothing known of it yet. Throws Exit 3 for a manifest without models. */
export function compile(manifest: Manifest): StatusDocument {
  const { interval, timeout, endpoints, tiers } = modelsOf(manifest);
  const targets = tiers.flatMap((tier): Target[] => [tier, ...tier.fallbacks]);
  return {
    version: 1,
    at: 0,
    watcher: null,
    interval,
    timeout,
    manifest: { file: manifest.file, hash: manifest.hash },
    endpoints: endpoints.map(({ name, host, kind, url, models }): EndpointStatus => {
      const asked = targets.filter(({ endpoint }) => endpoint === name).map(({ model }) => model);
      return {
        ...{ name, host, kind, url, health: UNKNOWN, latency: null, listed: true },
        models: [...new Set([...models, ...asked])].map((model) => ({ name: model, health: UNKNOWN })),
      };
    }),
    tiers,
  };
}

export function modelsOf({ models, file }: Manifest): ModelsSpec {
  if (models) return models;
  throw new Exit(
    EXIT.notFound,
    "no_models",
    `${file} says nothing of models.`,
    "Add models: with endpoints and tiers to it; docs/models.md has an example.",
  );
}

/** What was known of the same endpoints, kept: a watcher that starts anew does not forget who is down. */
export function withKnown(fresh: StatusDocument, known: StatusDocument): StatusDocument {
  return {
    ...fresh,
    endpoints: fresh.endpoints.map((endpoint) => {
      const before = known.endpoints.find(({ name, url }) => name === endpoint.name && url === endpoint.url);
      if (!before) return endpoint;
      const { health, latency, listed } = before;
      const models = endpoint.models.map((model) => before.models.find(({ name }) => name === model.name) ?? model);
      return { ...endpoint, health, latency, listed, models };
    }),
  };
}
