import type { Millis } from "@alai/core";
import { choose, isRoute } from "./choose.ts";
import type { StatusDocument } from "./document.ts";
import type { Health } from "./health.ts";
import type { Override } from "./override.ts";

/** Something that is otherwise than a round before. */
export interface Change {
  readonly at: Millis;
  readonly what: "endpoint" | "model" | "tier";
  /** `forge`, `forge/llama3.1:8b`, `2c`. */
  readonly name: string;
  /** `up`, `down`; of a tier the endpoint and model it leads to now, or `nothing`. */
  readonly now: string;
  readonly was: string;
  readonly why: string | null;
}

/** What a round changed, hosts first. Pure. @param before the document before it, of the same endpoints. */
export function changes(
  before: StatusDocument,
  after: StatusDocument,
  overrides: readonly Override[],
): readonly Change[] {
  const { at } = after;
  const seen = after.endpoints.flatMap((endpoint): readonly Change[] => {
    const old = before.endpoints.find(({ name, url }) => name === endpoint.name && url === endpoint.url);
    const own = changed(at, "endpoint", endpoint.name, old?.health, endpoint.health);
    // A host that went down took its models with it: that is one thing, not five.
    if (own.length > 0 && endpoint.health.state !== "up") return own;
    const models = endpoint.models.flatMap(({ name, health }) => {
      const was = old?.models.find((model) => model.name === name)?.health;
      const isNews = health.trouble?.kind === "missing" || was?.trouble?.kind === "missing";
      return isNews ? changed(at, "model", `${endpoint.name}/${name}`, was, health) : [];
    });
    return [...own, ...models];
  });
  return [...seen, ...tierChanges(before, after, overrides)];
}

function changed(
  at: Millis,
  what: Change["what"],
  name: string,
  was: Health | undefined,
  now: Health,
): readonly Change[] {
  const before = was?.state ?? "unknown";
  if (before === now.state) return [];
  return [{ at, what, name, now: now.state, was: before, why: now.trouble?.message ?? null }];
}

function tierChanges(before: StatusDocument, after: StatusDocument, overrides: readonly Override[]): readonly Change[] {
  return after.tiers.flatMap(({ name }): Change[] => {
    const was = leadsTo(before, overrides, name, after.at);
    const now = leadsTo(after, overrides, name, after.at);
    return was.to === now.to ? [] : [{ at: after.at, what: "tier", name, now: now.to, was: was.to, why: now.why }];
  });
}

function leadsTo(
  document: StatusDocument,
  overrides: readonly Override[],
  tier: string,
  now: Millis,
): { to: string; why: string | null } {
  // As it was in its own time: a document of before is not stale for that.
  const found = choose({ ...document, at: now }, overrides, tier, now);
  if (!found) return { to: "nothing", why: null };
  const why = found.skipped.map(({ endpoint, why: reason }) => `${endpoint}: ${reason}`).join("; ") || null;
  return { to: isRoute(found) ? `${found.endpoint}/${found.model}` : "nothing", why };
}
