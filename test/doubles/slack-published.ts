/**
 * What Slack publishes of what `alai watch` uses. Methods: slackapi/slack-api-specs (web-api, OpenAPI) and the method pages as
 * slack-ruby/slack-api-ref has them; webhooks: the changelog of 2016-05-17 and the page on incoming webhooks; rate limits: the
 * page on rate limits. Names and numbers only.
 */

interface Method {
  readonly args: readonly string[];
  readonly errors: readonly string[];
  /** Of which a token needs one. */
  readonly scopes: readonly string[];
}

const OF_ALL = [
  ...["access_denied", "accesslimited", "account_inactive", "channel_not_found", "deprecated_endpoint"],
  ...["enterprise_is_restricted", "fatal_error", "invalid_arg_name", "invalid_array_arg", "invalid_charset"],
  ...["invalid_auth", "invalid_form_data", "invalid_json", "invalid_post_type", "is_bot", "json_not_object"],
  ...[
    "method_deprecated",
    "missing_post_type",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
  ],
  ...["org_login_required", "ratelimited", "request_timeout", "service_unavailable", "team_added_to_org"],
  ...["token_expired", "token_revoked", "two_factor_setup_required", "unknown_method", "ekm_access_denied"],
];

export const METHODS: Readonly<Record<string, Method>> = {
  "chat.postMessage": {
    args: [
      ...["as_user", "attachments", "blocks", "channel", "icon_emoji", "icon_url", "link_names", "markdown_text"],
      ...["metadata", "mrkdwn", "parse", "reply_broadcast", "text", "thread_ts", "unfurl_links", "unfurl_media"],
      ...["username"],
    ],
    errors: [
      ...OF_ALL,
      ...["as_user_not_supported", "duplicate_channel_not_found", "duplicate_message_not_found", "invalid_blocks"],
      ...["is_archived", "message_limit_exceeded", "msg_too_long", "no_text", "not_in_channel", "rate_limited"],
      ...["restricted_action", "team_not_found", "too_many_attachments"],
    ],
    scopes: ["chat:write"],
  },
  "conversations.open": {
    args: ["channel", "return_im", "users", "prevent_creation"],
    errors: [
      ...OF_ALL,
      ...["invalid_user_combination", "method_not_supported_for_channel_type", "not_enough_users", "too_many_users"],
      ...["user_disabled", "user_not_found", "user_not_visible", "users_list_not_supplied"],
    ],
    scopes: ["channels:write", "groups:write", "im:write", "mpim:write"],
  },
};

/** Not among the arguments; two errors of chat.postMessage are about it. */
export const UNPUBLISHED_ARGS = ["client_msg_id"];

/** By the word in the body: the HTTP status of a webhook's refusal. */
export const WEBHOOK_ERRORS: Readonly<Record<string, number>> = {
  invalid_payload: 400,
  user_not_found: 400,
  no_text: 400,
  invalid_token: 403,
  action_prohibited: 403,
  posting_to_general_channel_denied: 403,
  channel_not_found: 404,
  no_service: 404,
  no_team: 404,
  channel_is_archived: 410,
  rollup_error: 500,
};

/** Characters after which a message is cut. */
export const CUT_AT = 40_000;
/** Characters that Slack asks to stay below. */
export const ADVISED = 4000;
