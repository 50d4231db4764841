import type { Millis } from "@alai/core";
import { type EndpointStatus, type StatusDocument, staleFor } from "./document.ts";
import type { Health, TroubleKind } from "./health.ts";

/** One line of `alai models status`. */
export interface StatusRow {
  readonly endpoint: string;
  readonly host: string | null;
  /** Null: no model is named of that endpoint. */
  readonly model: string | null;
  readonly state: Health["state"];
  readonly since: Millis | null;
  readonly latency: Millis | null;
  readonly url: string;
  readonly trouble: TroubleKind | null;
  readonly why: string | null;
  readonly seen: Millis | null;
}

/** A row for each model of each endpoint. What is stale is unknown, whatever it was. */
export function statusRows(document: StatusDocument, now: Millis): readonly StatusRow[] {
  const seen = document.watcher ? document.at : null;
  const stale = staleFor(document, now) !== null;
  return document.endpoints.flatMap((endpoint) => {
    const models = endpoint.models.length > 0 ? endpoint.models : [{ name: null, health: endpoint.health }];
    return models.map(({ name, health }): StatusRow => {
      const row = rowOf(endpoint, name, health, seen);
      if (!stale || row.state === "unknown") return row;
      return { ...row, state: "unknown", since: null, trouble: null, why: `it was ${row.state} when it was last seen` };
    });
  });
}

function rowOf(endpoint: EndpointStatus, model: string | null, own: Health, seen: Millis | null): StatusRow {
  const { name, host, url, latency, listed } = endpoint;
  const { state, since, trouble } = endpoint.health.state === "down" ? endpoint.health : own;
  const note = listed ? null : "it answers, and lists its models only with a key";
  return {
    ...{ endpoint: name, host, model, state, since, latency, url },
    trouble: trouble?.kind ?? null,
    why: trouble?.message ?? note,
    seen,
  };
}
