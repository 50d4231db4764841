import type { AlertChannel } from "../../dr/manifest/model.ts";
import type { Notice } from "../machine/notice.ts";

/** Whether a person can be told directly there. */
export function isDirect(spec: AlertChannel): boolean {
  return spec.kind === "slack-api" && spec.directTo !== null;
}

/** Where a notice goes. */
export interface Recipient {
  readonly channel: string;
  readonly to: "channel" | "direct";
}

/** Who an escalation goes to: persons directly, else everybody in the Slack channels, else the webhooks, else nobody. */
export function escalationTo(specs: readonly AlertChannel[]): "person" | "channel" | "webhook" | "nobody" {
  if (specs.some(isDirect)) return "person";
  if (specs.length === 0) return "nobody";
  return specs.some(({ kind }) => kind !== "webhook") ? "channel" : "webhook";
}

/** Everybody who is ever told something, as words that can be kept. */
export function allRecipients(specs: readonly AlertChannel[]): readonly string[] {
  return specs.flatMap((spec) =>
    isDirect(spec) ? [`${spec.name}/channel`, `${spec.name}/direct`] : [`${spec.name}/channel`],
  );
}

/**
 * Everything goes to every channel, but what is for a person directly: that goes to Slack members who are named, and to webhooks,
 * which have their own rules; where no member is named, to the Slack channels, and calls all who are in them. The end of an
 * outage goes to both.
 */
export function recipientsOf(notice: Notice, specs: readonly AlertChannel[]): readonly Recipient[] {
  const all = specs.map(({ name }): Recipient => ({ channel: name, to: "channel" }));
  const direct = specs.filter(isDirect).map(({ name }): Recipient => ({ channel: name, to: "direct" }));
  if (notice.kind === "escalated") {
    if (direct.length === 0) return all;
    const hooks = specs
      .filter(({ kind }) => kind === "webhook")
      .map(({ name }): Recipient => ({ channel: name, to: "direct" }));
    return [...direct, ...hooks];
  }
  return notice.kind === "recovered" && notice.direct ? [...all, ...direct] : all;
}
