import type { AlertChannel } from "../../dr/manifest/model.ts";
import type { Context } from "../../kit/context.ts";
import { Http } from "../../kit/http.ts";
import { readFrom, serverUrl } from "../../kit/values.ts";
import { Secrets } from "../secret.ts";
import { type Channel, PATIENCE } from "./channel.ts";
import { isDirect } from "./recipients.ts";
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
  const nobody = !specs.some(isDirect);
  const open = (spec: AlertChannel): Channel => {
    if (spec.kind === "slack-webhook") return slackWebhook(spec, http, secrets, nobody);
    if (spec.kind === "slack-api") return slackApi(spec, http, secrets, base, nobody);
    return webhook(spec, http, secrets, context.clock);
  };
  return new Map(specs.map((spec) => [spec.name, open(spec)]));
}

function slackBase({ env }: Context): string {
  const named = env.ALAI_SLACK_API;
  if (!named) return SLACK_API;
  return readFrom("ALAI_SLACK_API", () => serverUrl(named)).href.replace(/\/+$/, "");
}
