import type { AlertChannel } from "../../dr/manifest/model.ts";
import type { Context } from "../../kit/context.ts";
import { Http } from "../../kit/http.ts";
import { readFrom, serverUrl } from "../../kit/values.ts";
import type { Notice } from "../machine/notice.ts";
import { Secrets } from "../secret.ts";
import { type Channel, PATIENCE } from "./channel.ts";
import { SLACK_API, slackApi } from "./slack-api.ts";
import { slackWebhook } from "./slack-webhook.ts";
import { webhook } from "./webhook.ts";

const LONGEST = 1_000_000;

/** The channels of a manifest, by name. Nothing is sent, and no secret read. Closed with the context. */
export function openChannels(context: Context, specs: readonly AlertChannel[]): ReadonlyMap<string, Channel> {
  const http = new Http({ ...PATIENCE, env: context.env, longest: LONGEST });
  context.onExit(() => http.close());
  const secrets = new Secrets(context);
  const base = slackBase(context);
  const everyone = !specs.some(isDirect);
  const open = (spec: AlertChannel): Channel => {
    if (spec.kind === "slack-webhook") return slackWebhook(spec, http, secrets, everyone);
    if (spec.kind === "slack-api") return slackApi(spec, http, secrets, base, everyone);
    return webhook(spec, http, secrets, context.clock);
  };
  return new Map(specs.map((spec) => [spec.name, open(spec)]));
}

function slackBase({ env }: Context): string {
  const named = env.ALAI_SLACK_API;
  if (!named) return SLACK_API;
  return readFrom("ALAI_SLACK_API", () => serverUrl(named)).href.replace(/\/+$/, "");
}

/** Whether a person can be told directly there. */
function isDirect(spec: AlertChannel): boolean {
  return spec.kind === "slack-api" && spec.directTo !== null;
}

/** Where a notice goes. */
export interface Recipient {
  readonly channel: string;
  readonly to: "channel" | "direct";
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
