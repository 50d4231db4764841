import type { Path, YamlFile } from "./document.ts";
import { mustBe, namesOf, onlyOnce, wholeOnes } from "./named.ts";
import type { Written } from "./schema.ts";
import type { Loose } from "./walk.ts";

type Models = Loose<NonNullable<Written["models"]>>;

/** Servers and models that are asked for must be there. @param hosts names of the hosts. */
export function checkModels(file: YamlFile, models: Models, hosts: readonly string[] | null): void {
  const endpoints = wholeOnes(models.endpoints);
  const tiers = wholeOnes(models.tiers);
  onlyOnce(file, ["models", "endpoints"], endpoints, "endpoint");
  onlyOnce(file, ["models", "tiers"], tiers, "tier of models");
  for (const { at, thing } of endpoints) mustBe(file, ["models", "endpoints", at, "host"], thing.host, hosts, "host");
  for (const { at, thing } of tiers) {
    const path: Path = ["models", "tiers", at];
    checkAsked(file, path, thing, models);
    for (const [index, fallback] of (thing.fallbacks ?? []).entries())
      if (fallback) checkAsked(file, [...path, "fallbacks", index], fallback, models);
  }
}

function checkAsked(
  file: YamlFile,
  path: Path,
  { endpoint, model }: { readonly endpoint?: string | undefined; readonly model?: string | undefined },
  { endpoints }: Models,
): void {
  mustBe(file, [...path, "endpoint"], endpoint, endpoints ? namesOf(endpoints) : null, "endpoint");
  const listed = wholeOnes(endpoints).find(({ name }) => name === endpoint)?.thing.models ?? [];
  const models = listed.filter((one) => one !== undefined);
  if (models.length > 0) mustBe(file, [...path, "model"], model, models, `model of ${endpoint} named`);
}
