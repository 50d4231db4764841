import type { AlertChannel } from "../../dr/manifest/model.ts";
import type { Answer, Http } from "../../kit/http.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import type { Secrets } from "../secret.ts";
import { type Channel, type Fault, type Outgoing, post, SendError, textOf, waitOf } from "./channel.ts";
import { slackFault } from "./slack-fault.ts";
import { slackText } from "./slack-text.ts";

type Spec = Extract<AlertChannel, { kind: "slack-api" }>;
type Said = Readonly<Record<string, unknown>>;

export const SLACK_API = "https://slack.com/api";

const HINTS: Readonly<Record<string, string>> = {
  not_in_channel: "invite the app to the channel",
  channel_not_found: "correct the channel in the manifest, or invite the app",
  is_archived: "name another channel in the manifest",
  user_not_found: "correct `direct-to` in the manifest: Slack's id of a member, U…",
  user_disabled: "name another member in `direct-to`",
  invalid_auth: "the token is not valid",
  not_authed: "the token is empty",
  token_revoked: "the token was revoked: make a new one",
  token_expired: "the token has expired: make a new one",
  account_inactive: "the app was removed from the workspace",
};
const BAD_TOKEN = ["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"];
/** Slack has said that the work may be done all the same. */
const UNSURE = ["fatal_error", "internal_error", "request_timeout", "service_unavailable"];

/**
 * Slack's Web API (scopes chat:write, and im:write for direct messages): a channel, and one member directly. A repeated message
 * carries the `client_msg_id` of the first. Slack names it in its errors, not among the arguments: that it leaves a repeated
 * message out is what it does, not what it promises.
 * @param nobody no channel has somebody who can be told directly: an escalation calls the whole channel.
 */
export function slackApi(spec: Spec, http: Http, secrets: Secrets, base: string, nobody: boolean): Channel {
  let direct: string | null = null;
  const call = async (method: string, to: Outgoing["to"], args: Said) => {
    const headers = {
      "content-type": "application/json; charset=utf-8",
      authorization: `Bearer ${await secrets.get(spec.secret)}`,
    };
    const answer = await post(http, spec.name, new URL(`${base}/${method}`), headers, JSON.stringify(args));
    const said = read(spec.name, method, answer);
    if (said.ok === true) return said;
    if (BAD_TOKEN.includes(String(said.error))) secrets.forget(spec.secret);
    // The conversation with a member who was put in for another one is another one.
    if (to === "direct") direct = null;
    throw refusal(spec.name, method, to, said);
  };
  const placeOf = async (to: Outgoing["to"]) => {
    if (to === "channel" || spec.directTo === null) return spec.channel;
    direct ??= channelId(await call("conversations.open", to, { users: spec.directTo }));
    return direct;
  };
  return {
    name: spec.name,
    prepare: async () => void (await secrets.get(spec.secret)),
    async send(outgoing) {
      const to = spec.directTo === null ? "channel" : outgoing.to;
      const channel = await placeOf(to);
      const text = slackText(outgoing, nobody);
      const message = { channel, text, client_msg_id: outgoing.mark, unfurl_links: false, unfurl_media: false };
      try {
        await call("chat.postMessage", to, message);
      } catch (error) {
        // It had arrived before, and somebody deleted it.
        if (error instanceof SlackRefusal && error.word === "duplicate_message_not_found" && outgoing.again) return;
        throw error;
      }
    },
  };
}

class SlackRefusal extends SendError {
  readonly word: string;

  constructor(word: string, message: string, more: { maybeSent: boolean; fault: Fault }) {
    super(message, more);
    this.word = word;
  }
}

function refusal(who: string, method: string, to: Outgoing["to"], said: Said): SlackRefusal {
  const word = truncate(oneLine(String(said.error)), 60);
  const needed = word === "missing_scope" ? `the app needs the scope ${oneLine(String(said.needed))}` : HINTS[word];
  const message = `${who}: Slack refuses ${method}: ${word}${needed ? ` (${needed})` : ""}`;
  return new SlackRefusal(word, message, { maybeSent: UNSURE.includes(word), fault: slackFault(word, to) });
}

/** Slack answers 200 to nearly everything, and says in the body what came of it. */
function read(who: string, method: string, answer: Answer): Said {
  const where = `${who}: Slack answers ${answer.status} to ${method}`;
  if (answer.status !== 200) throw new SendError(where, { maybeSent: answer.maybeDone, wait: waitOf(answer) });
  try {
    const said = JSON.parse(textOf(answer)) as Said | null;
    if (typeof said?.ok === "boolean") return said;
  } catch {
    // Said below.
  }
  throw new SendError(`${where}, and not as Slack does`, { maybeSent: true });
}

function channelId(said: Said): string {
  const { id } = (said.channel ?? {}) as { id?: unknown };
  return String(id);
}
