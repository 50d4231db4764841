import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AlertChannel } from "../../src/dr/manifest/model.ts";
import type { Context } from "../../src/kit/context.ts";
import { SendError } from "../../src/watch/channels/channel.ts";
import { openChannels } from "../../src/watch/channels/open.ts";
import { recipientsOf } from "../../src/watch/channels/recipients.ts";
import { slackFault } from "../../src/watch/channels/slack-fault.ts";
import { Courier } from "../../src/watch/courier.ts";
import type { NoticeKind } from "../../src/watch/machine/notice.ts";
import { owed } from "../../src/watch/outbox.ts";
import { Slack } from "../doubles/slack.ts";
import { ADVISED, METHODS, UNPUBLISHED_ARGS, WEBHOOK_ERRORS } from "../doubles/slack-published.ts";
import { noticeOf, outgoing } from "./notices.ts";

/** What goes to Slack is what Slack takes, and what it refuses is said in its words, without the secret. */

const API: AlertChannel = {
  ...{ kind: "slack-api", name: "ops", secret: "SLACK_BOT_TOKEN", channel: "#ops", directTo: "U0FOUNDER1" },
};
const HOOK: AlertChannel = { kind: "slack-webhook", name: "hook", secret: "SLACK_WEBHOOK" };

let slack: Slack;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  slack = await Slack.start();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await slack[Symbol.asyncDispose]();
});

function channel(spec: AlertChannel, env: Record<string, string> = {}) {
  const all = { ALAI_SLACK_API: slack.api, SLACK_BOT_TOKEN: slack.token, SLACK_WEBHOOK: slack.webhook, ...env };
  const context = { env: all, clock: Date.now, onExit: (close: () => unknown) => closers.push(close) };
  const found = openChannels(context as unknown as Context, [spec]).get(spec.name);
  if (!found) throw new Error("no channel");
  return found;
}

async function refusal(sent: Promise<void>): Promise<SendError> {
  const error = await sent.then(
    () => new Error("it was taken"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SendError)) throw error;
  expect(error.message).not.toContain(slack.token);
  expect(error.message).not.toContain("XXXXXXXX");
  return error;
}

describe("the double says what Slack publishes", () => {
  const call = async (method: string, body: string, headers: Record<string, string>) => {
    const answer = await fetch(`${slack.api}/${method}`, { method: "POST", body, headers });
    return ((await answer.json()) as { error?: string; ok: boolean }).error ?? "ok";
  };

  test("each refusal is one of the method's own, for the reason that it is published with", async () => {
    const json = { "content-type": "application/json; charset=utf-8", authorization: `Bearer ${slack.token}` };
    const post = (args: unknown, headers: Record<string, string> = json) =>
      call("chat.postMessage", JSON.stringify(args), headers);
    slack.channels.set("#old", "archived").set("#private", "not_in");
    const said = {
      not_authed: await post({}, { "content-type": "application/json" }),
      invalid_auth: await post({}, { ...json, authorization: "Bearer wrong" }),
      invalid_post_type: await post({}, { ...json, "content-type": "application/xml" }),
      json_not_object: await post([]),
      invalid_json: await call("chat.postMessage", "{", json),
      channel_not_found: await post({ channel: "#nowhere", text: "x" }),
      is_archived: await post({ channel: "#old", text: "x" }),
      not_in_channel: await post({ channel: "#private", text: "x" }),
      no_text: await post({ channel: "#ops", text: "" }),
      invalid_arg_name: await post({ channel: "#ops", text: "x", "a-b": 1 }),
    };
    for (const [expected, error] of Object.entries(said)) {
      expect(error).toBe(expected);
      expect(METHODS["chat.postMessage"]?.errors).toContain(error);
    }
    expect(await post({ channel: "#ops", text: "x" })).toBe("ok");
    slack.scopes = ["im:write"];
    expect(await post({ channel: "#ops", text: "x" })).toBe("missing_scope");
    for (const [users, error] of [
      ["", "users_list_not_supplied"],
      ["U0NOBODY", "user_not_found"],
    ]) {
      expect(await call("conversations.open", JSON.stringify({ users }), json)).toBe(error);
      expect(METHODS["conversations.open"]?.errors).toContain(error);
    }
    expect(await call("chat.shout", "{}", json)).toBe("unknown_method");
  });

  test("a webhook refuses with the published word and status", async () => {
    const hook = async (body: string, type = "application/json", url = slack.webhook) => {
      const answer = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
      const word = await answer.text();
      if (answer.status !== 200) expect(WEBHOOK_ERRORS[word]).toBe(answer.status);
      return word;
    };
    expect(await hook('{"text":"x"}')).toBe("ok");
    expect(await hook("{")).toBe("invalid_payload");
    expect(await hook('{"text":"x"}', "text/plain")).toBe("invalid_payload");
    expect(await hook("{}")).toBe("no_text");
    expect(await hook('{"text":"x"}', "application/json", `${slack.webhook}Y`)).toBe("invalid_token");
    slack.webhookChannel = "archived";
    expect(await hook('{"text":"x"}')).toBe("channel_is_archived");
  });
});

describe("over the Web API", () => {
  test("a message to the channel, and one to a person, with arguments that are published", async () => {
    await channel(API).send(outgoing());
    const escalated = noticeOf({ kind: "escalated", lasted: 300_000 });
    await channel(API).send(outgoing({ to: "direct", notice: escalated, mark: "another" }));
    expect(slack.texts("#ops")[0]).toMatch(/^:red_circle: anvil is down: no answer since 2026-12-01 09:29:40 UTC/);
    expect(slack.texts("D0FOUNDER1")[0]).toContain("anvil has been down for 5 min");
    for (const { path, args } of slack.asked) {
      const known = [...(METHODS[path.slice(5)]?.args ?? []), ...UNPUBLISHED_ARGS];
      expect(known).toEqual(expect.arrayContaining(Object.keys(args)));
    }
  });

  test("the same message again, because its answer was lost: it stands there once", async () => {
    slack.cutAfterTaking = 1;
    const lost = await refusal(channel(API).send(outgoing()));
    expect(lost.maybeSent).toBe(true);
    await channel(API).send(outgoing({ again: true }));
    expect(slack.texts("#ops")).toHaveLength(1);
  });

  test("what it refuses is named, with what to do", async () => {
    slack.channels.set("#ops", "not_in");
    expect((await refusal(channel(API).send(outgoing()))).message).toBe(
      "ops: Slack refuses chat.postMessage: not_in_channel (invite the app to the channel)",
    );
    slack.scopes = ["chat:write"];
    expect((await refusal(channel(API).send(outgoing({ to: "direct" })))).message).toContain(
      "ops: Slack refuses conversations.open: missing_scope (the app needs the scope channels:write,groups:write,im:write",
    );
    const wrong = channel(API, { SLACK_BOT_TOKEN: "xoxb-wrong-token" });
    const { message, fault } = await refusal(wrong.send(outgoing()));
    expect([message, fault]).toEqual([
      "ops: Slack refuses chat.postMessage: invalid_auth (the token is not valid)",
      "channel",
    ]);
  });

  test("each refusal that is published is the message's fault, the member's, the channel's, or passes", () => {
    const faults = (method: string, to: "channel" | "direct") =>
      Object.groupBy(METHODS[method]?.errors ?? [], (word) => slackFault(word, to));
    const shared = {
      message: [
        ...["invalid_arg_name", "invalid_array_arg", "invalid_charset", "invalid_form_data", "invalid_json"],
        "json_not_object",
      ],
      passing: ["fatal_error", "ratelimited", "request_timeout", "service_unavailable", "team_added_to_org"],
    };
    const posts = faults("chat.postMessage", "channel");
    expect(posts.message).toEqual([
      ...[...shared.message, "duplicate_channel_not_found", "duplicate_message_not_found", "invalid_blocks"],
      ...["msg_too_long", "no_text", "too_many_attachments"],
    ]);
    expect(posts.passing).toEqual([...shared.passing, "message_limit_exceeded", "rate_limited"]);
    expect(posts.addressee).toBe(undefined);
    for (const word of ["is_archived", "not_in_channel", "channel_not_found", "missing_scope", "token_revoked"])
      expect(posts.channel).toContain(word);
    const opens = faults("conversations.open", "direct");
    expect([opens.message, opens.passing]).toEqual([shared.message, shared.passing]);
    for (const word of ["user_not_found", "user_disabled", "user_not_visible", "missing_scope", "channel_not_found"])
      expect(opens.addressee).toContain(word);
    // The token is the channel's too: calling the channel instead would be refused as well.
    for (const word of ["invalid_auth", "token_expired", "account_inactive"]) expect(opens.channel).toContain(word);
    expect([slackFault("a_new_word", "channel"), slackFault("a_new_word", "direct")]).toEqual(["channel", "addressee"]);
  });

  test.each<[string, () => unknown, string]>([
    ["is no member any more", () => slack.users.clear(), "user_not_found"],
    ["cannot be written to for want of a scope", () => (slack.scopes = ["chat:write"]), "missing_scope"],
  ])("who is named and %s: everybody in the channel is called, and alerts go on", async (_, breaking, word) => {
    breaking();
    const said: string[] = [];
    const options = { channels: new Map([["ops", channel(API)]]), clock: Date.now, keep: () => {} };
    const courier = new Courier([], { ...options, say: (sentence) => said.push(sentence) });
    const tell = (kind: NoticeKind, host: string, to: "channel" | "direct") =>
      courier.add(owed(noticeOf({ kind, host, id: `${host}-${kind}` }), [{ channel: "ops", to }], Date.now()));
    tell("down", "anvil", "channel");
    tell("escalated", "anvil", "direct");
    courier.start();
    await courier.settle(5000);
    tell("recovered", "anvil", "channel");
    tell("down", "forge", "channel");
    courier.start();
    await courier.settle(5000);
    expect(slack.texts("#ops").map((text) => text.split(" ").slice(0, 3).join(" "))).toEqual([
      ":red_circle: anvil is",
      "<!channel> :rotating_light: anvil",
      ":large_green_circle: anvil answers",
      ":red_circle: forge is",
    ]);
    expect(courier.deliveries.find(({ to }) => to === "direct")).toMatchObject({
      state: "refused",
      error: expect.stringContaining(word),
    });
    expect(said.join()).toContain(word);
  });

  test("429 says how long to wait, and nothing was posted", async () => {
    slack.limit(30);
    const { wait, maybeSent } = await refusal(channel(API).send(outgoing()));
    expect([wait > 20_000 && wait <= 30_000, maybeSent]).toEqual([true, false]);
    expect(slack.posted).toEqual([]);
  });

  test("a server that is not Slack, and one that is not there", async () => {
    const none = channel(API, { ALAI_SLACK_API: "http://127.0.0.1:9/api" });
    expect((await refusal(none.send(outgoing()))).maybeSent).toBe(false);
    const other = channel(API, { ALAI_SLACK_API: `${slack.url}/services` });
    expect((await refusal(other.send(outgoing()))).message).toContain("ops: Slack answers 4");
  });
});

describe("over a webhook", () => {
  test("a message; one that may have arrived before says so, for Slack cannot tell", async () => {
    await channel(HOOK).send(outgoing());
    await channel(HOOK).send(outgoing({ again: true }));
    expect(slack.texts("webhook")[0]).toMatch(/^:red_circle: anvil is down/);
    expect(slack.texts("webhook")[1]).toContain("(sent again: whether it arrived the first time is not known)");
  });

  test("what it refuses is named, and its address is not", async () => {
    slack.webhookChannel = "removed";
    expect((await refusal(channel(HOOK).send(outgoing()))).message).toBe(
      "hook: Slack answers 404 no_service (the webhook was removed or switched off: make a new one)",
    );
    const plain = channel(HOOK, { SLACK_WEBHOOK: "http://hooks.example.com/XXXXXXXXXXXX" });
    expect((await refusal(plain.send(outgoing()))).message).toBe("hook: its secret is no https address");
    const away = channel(HOOK, { SLACK_WEBHOOK: "http://127.0.0.1:9/services/XXXXXXXXXXXX" });
    await refusal(away.send(outgoing()));
  });

  test("names with Slack's marks in them stay text; a long one is cut; an escalation calls those who are there", async () => {
    const host = `<!everyone> & <@U1> ${"x".repeat(9000)}\u202e\n`;
    await channel(HOOK).send(outgoing({ notice: noticeOf({ host, kind: "escalated" }) }));
    const [text = ""] = slack.texts("webhook");
    expect(text).toMatch(/^<!channel> :rotating_light: &lt;!everyone&gt; &amp; &lt;@U1&gt; x/);
    expect(text.length).toBeLessThan(ADVISED);
    expect(text).not.toMatch(/[\n\u202e]/);
  });
});

test("who is told what: all channels; a person directly where one is named, and the end to both", () => {
  const other: AlertChannel = { kind: "webhook", name: "pager", url: "https://example.com", secret: null };
  const told = (kind: "down" | "escalated" | "recovered", direct: boolean, specs: AlertChannel[]) =>
    recipientsOf(noticeOf({ kind, direct }), specs).map(({ channel: name, to }) => `${name} ${to}`);
  expect(told("down", false, [API, HOOK, other])).toEqual(["ops channel", "hook channel", "pager channel"]);
  expect(told("escalated", true, [API, HOOK, other])).toEqual(["ops direct", "pager direct"]);
  expect(told("recovered", true, [API, HOOK])).toEqual(["ops channel", "hook channel", "ops direct"]);
  expect(told("recovered", false, [API, HOOK])).toEqual(["ops channel", "hook channel"]);
  expect(told("escalated", true, [HOOK])).toEqual(["hook channel"]);
});
