import type { Path, YamlFile } from "./document.ts";
import { mustBe, names, onlyOnce } from "./rules.ts";
import type { Written } from "./schema.ts";

type Models = NonNullable<Written["models"]>;

/** Servers and models that are asked for must be there. @param hosts names of the hosts. */
export function checkModels(file: YamlFile, models: Models, hosts: readonly string[]): void {
  const { endpoints, tiers = [] } = models;
  onlyOnce(file, ["models", "endpoints"], endpoints, "endpoint");
  onlyOnce(file, ["models", "tiers"], tiers, "tier of models");
  for (const [at, { host }] of endpoints.entries())
    if (host !== undefined) mustBe(file, ["models", "endpoints", at, "host"], host, hosts, "host");
  for (const [at, tier] of tiers.entries()) {
    const path: Path = ["models", "tiers", at];
    checkAsked(file, path, tier, endpoints);
    for (const [index, fallback] of (tier.fallbacks ?? []).entries())
      checkAsked(file, [...path, "fallbacks", index], fallback, endpoints);
  }
}

function checkAsked(
  file: YamlFile,
  path: Path,
  asked: { readonly endpoint: string; readonly model: string },
  endpoints: Models["endpoints"],
): void {
  mustBe(file, [...path, "endpoint"], asked.endpoint, names(endpoints), "endpoint");
  const models = endpoints.find(({ name }) => name === asked.endpoint)?.models ?? [];
  if (models.length > 0)
    mustBe(file, [...path, "model"], asked.model, models, `model at the endpoint ${asked.endpoint} named`);
}
