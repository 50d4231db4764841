import type { Fault, Outgoing } from "./channel.ts";

/** The message, or how this program has put it into words: the next one may be taken. */
const OF_MESSAGE = [
  ...["msg_too_long", "no_text", "invalid_blocks", "too_many_attachments", "duplicate_channel_not_found"],
  ...["duplicate_message_not_found", "invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data"],
  ...["invalid_json", "json_not_object"],
];
/** Over by themselves. */
const PASSING = [
  ...["ratelimited", "rate_limited", "message_limit_exceeded", "fatal_error", "internal_error", "request_timeout"],
  ...["service_unavailable", "team_added_to_org"],
];
/** The token, the app or the workspace: whatever is sent, and to whom, it is refused. */
const OF_APP = [
  ...["invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"],
  ...["accesslimited", "ekm_access_denied", "enterprise_is_restricted", "org_login_required", "team_not_found"],
  ...["two_factor_setup_required", "deprecated_endpoint", "method_deprecated", "unknown_method"],
  ...["invalid_post_type", "missing_post_type"],
];

/**
 * Whose fault it is when Slack refuses, by the word that it publishes for it. What is left, and what is not published, is the
 * place's: the member's who was to be told directly, or the channel's.
 */
export function slackFault(word: string, to: Outgoing["to"]): Fault {
  if (OF_MESSAGE.includes(word)) return "message";
  if (PASSING.includes(word)) return "passing";
  return to === "direct" && !OF_APP.includes(word) ? "addressee" : "channel";
}
