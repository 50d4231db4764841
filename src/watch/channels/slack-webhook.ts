import type { AlertChannel } from "../../dr/manifest/model.ts";
import type { Http } from "../../kit/http.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import type { Secrets } from "../secret.ts";
import { type Channel, type Fault, post, SendError, secretUrl, textOf, waitOf } from "./channel.ts";
import { slackText } from "./slack-text.ts";

type Spec = Extract<AlertChannel, { kind: "slack-webhook" }>;

/** What the answer's word means, and what to do. */
const REFUSALS: Readonly<Record<string, string>> = {
  invalid_token: "the address is not valid any more: make a new webhook",
  no_service: "the webhook was removed or switched off: make a new one",
  no_team: "the workspace is gone",
  channel_not_found: "the channel is gone: make a new webhook",
  channel_is_archived: "the channel is archived: make a webhook for another one",
  action_prohibited: "an administrator of the workspace does not allow it",
  posting_to_general_channel_denied: "an administrator does not allow it in #general",
};
/** It is the message that is wrong, not the webhook. */
const WRONG = ["invalid_payload", "no_text"];

/**
 * A Slack incoming webhook: one channel, no direct messages, and no mark by which Slack could tell a repeated message.
 * @param nobody no channel has somebody who can be told directly: an escalation calls the whole channel.
 */
export function slackWebhook(spec: Spec, http: Http, secrets: Secrets, nobody: boolean): Channel {
  const url = async () => secretUrl(spec.name, await secrets.get(spec.secret));
  return {
    name: spec.name,
    onePlace: true,
    prepare: async () => void (await url()),
    async send(outgoing) {
      const body = JSON.stringify({ text: slackText(outgoing, nobody) });
      const answer = await post(http, spec.name, await url(), { "content-type": "application/json" }, body);
      if (answer.status === 200) return;
      const word = truncate(oneLine(textOf(answer).trim()), 60);
      if (answer.status === 403 || answer.status === 404 || answer.status === 410) secrets.forget(spec.secret);
      const meaning = REFUSALS[word] ? ` (${REFUSALS[word]})` : "";
      throw new SendError(`${spec.name}: Slack answers ${answer.status} ${word}${meaning}`, {
        maybeSent: answer.maybeDone,
        wait: waitOf(answer),
        fault: faultOf(answer.status, word),
      });
    },
  };
}

/** 429 and Slack's own troubles pass; everything else that it says of a webhook stays until somebody mends it. */
function faultOf(status: number, word: string): Fault {
  if (WRONG.includes(word)) return "message";
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? "channel" : "passing";
}
