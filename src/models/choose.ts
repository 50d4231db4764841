import type { Millis } from "@alai/core";
import { type EndpointStatus, type StatusDocument, staleFor, type Target } from "./document.ts";
import { type Health, type Trouble, UNKNOWN } from "./health.ts";
import { type Override, overrideFor } from "./override.ts";

/** Where to ask now, and how sure that is. */
export interface Route {
  /** The tier or model that was asked for. */
  readonly asked: string;
  /** Null: a model that no tier begins with. */
  readonly tier: string | null;
  readonly endpoint: string;
  readonly kind: EndpointStatus["kind"];
  readonly url: string;
  readonly model: string;
  /** `unknown`: nobody has looked yet, or nobody looks any more. */
  readonly state: Health["state"];
  readonly since: Millis | null;
  readonly via: "first" | "fallback" | "override";
  /** Of the override; null without one. */
  readonly until: Millis | null;
  /** When what this rests on was seen; null: it rests on the manifest alone. */
  readonly seen: Millis | null;
  /** What stood before it, and why it is not that. */
  readonly skipped: readonly Skipped[];
}

export interface Skipped extends Target {
  readonly why: string;
}

/** What was asked for is known, and nothing of it answers. */
export interface NoRoute {
  readonly asked: string;
  readonly tier: string | null;
  readonly skipped: readonly Skipped[];
}

type Step = Target & { readonly onlyUnreachable: boolean };

/**
 * The first that answers of what the manifest names for a tier or a model; an override stands before all rules. Pure.
 * @returns null for a name that nothing is called by.
 */
export function choose(
  document: StatusDocument,
  overrides: readonly Override[],
  asked: string,
  now: Millis,
): Route | NoRoute | null {
  const { tier, steps } = stepsOf(document, asked);
  const [first] = steps;
  if (!first) return null;
  const override = tier === null ? null : overrideFor(overrides, tier, now);
  const endpoint = override && endpointOf(document, override);
  if (override && endpoint)
    return { ...routeOf(document, { asked, tier }, override, now), via: "override", until: override.until };
  return firstOf(document, { asked, tier }, steps, now);
}

/** True for a route, false for none. */
export function isRoute(found: Route | NoRoute): found is Route {
  return "url" in found;
}

interface Question {
  readonly asked: string;
  readonly tier: string | null;
}

/** What to try, in this order. A model's own tier says more than the list of an endpoint. */
function stepsOf({ tiers, endpoints }: StatusDocument, asked: string): { tier: string | null; steps: readonly Step[] } {
  const rule = tiers.find(({ name }) => name === asked) ?? tiers.find(({ model }) => model === asked);
  if (rule) return { tier: rule.name, steps: [{ ...rule, onlyUnreachable: false }, ...rule.fallbacks] };
  const steps = endpoints
    .filter(({ models }) => models.some(({ name }) => name === asked))
    .map(({ name }) => ({ endpoint: name, model: asked, onlyUnreachable: false }));
  return { tier: null, steps };
}

function firstOf(document: StatusDocument, question: Question, steps: readonly Step[], now: Millis): Route | NoRoute {
  const skipped: Skipped[] = [];
  let allUnreachable = true;
  for (const [at, step] of steps.entries()) {
    const trouble = troubleOf(document, step);
    if (step.onlyUnreachable && !allUnreachable) {
      skipped.push({ ...target(step), why: "only for when those before cannot be reached" });
      continue;
    }
    if (!trouble)
      return { ...routeOf(document, question, step, now), via: at === 0 ? "first" : "fallback", until: null, skipped };
    allUnreachable &&= trouble.kind === "connection";
    skipped.push({ ...target(step), why: trouble.message });
  }
  const [first] = steps;
  // Nobody looks any more: that nothing answered then says nothing of now.
  if (first && staleFor(document, now) !== null)
    return { ...routeOf(document, question, first, now), via: "first", until: null, skipped: [] };
  return { ...question, skipped };
}

/** It can be reached, whatever else. */
const BACK: Trouble = { kind: "http", message: "it answers again, and is looked at once more before it is trusted" };

function target({ endpoint, model }: Target): Target {
  return { endpoint, model };
}

function endpointOf({ endpoints }: StatusDocument, { endpoint }: Target): EndpointStatus | undefined {
  return endpoints.find(({ name }) => name === endpoint);
}

/** Why not this one; null: it answers, or nobody has found out yet. */
function troubleOf(document: StatusDocument, step: Target): Trouble | null {
  const health = healthOf(endpointOf(document, step), step.model);
  return health.state === "down" ? (health.trouble ?? BACK) : null;
}

/** An endpoint that is down says more than its models, which are then down for the same reason. */
function healthOf(endpoint: EndpointStatus | undefined, model: string): Health {
  if (!endpoint || endpoint.health.state === "down") return endpoint?.health ?? UNKNOWN;
  return endpoint.models.find(({ name }) => name === model)?.health ?? endpoint.health;
}

function routeOf(
  document: StatusDocument,
  question: Question,
  step: Target,
  now: Millis,
): Omit<Route, "via" | "until"> & { skipped: [] } {
  const endpoint = endpointOf(document, step);
  if (!endpoint) throw new Error(`no endpoint ${step.endpoint}: the manifest's rules were not checked`);
  const health = healthOf(endpoint, step.model);
  const known = document.watcher !== null && staleFor(document, now) === null;
  return {
    ...question,
    endpoint: endpoint.name,
    kind: endpoint.kind,
    url: endpoint.url,
    model: step.model,
    state: known ? health.state : "unknown",
    since: known ? health.since : null,
    seen: document.watcher === null ? null : document.at,
    skipped: [],
  };
}
