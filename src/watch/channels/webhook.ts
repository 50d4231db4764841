import { createHmac } from "node:crypto";
import { hostname } from "node:os";
import type { AlertChannel } from "../../dr/manifest/model.ts";
import type { Http } from "../../kit/http.ts";
import { sentenceOf } from "../machine/sentence.ts";
import type { Secrets } from "../secret.ts";
import { type Channel, type Outgoing, post, SendError, waitOf } from "./channel.ts";

type Spec = Extract<AlertChannel, { kind: "webhook" }>;

/**
 * Any service that takes JSON by POST: docs/watch.md has the body and how the signature is checked. 2xx is taken; anything else
 * is sent again, with the same `Idempotency-Key`. @param now wall clock, for the signature.
 */
export function webhook(spec: Spec, http: Http, secrets: Secrets, now: () => number): Channel {
  const url = new URL(spec.url);
  const key = async () => (spec.secret === null ? null : secrets.get(spec.secret));
  return {
    name: spec.name,
    onePlace: true,
    prepare: async () => void (await key()),
    async send(outgoing) {
      const body = JSON.stringify(bodyOf(outgoing));
      const secret = await key();
      const headers = {
        "content-type": "application/json",
        "idempotency-key": outgoing.mark,
        ...(secret !== null && signature(secret, Math.floor(now() / 1000), body)),
      };
      const answer = await post(http, spec.name, url, headers, body);
      if (answer.status >= 200 && answer.status < 300) return;
      if (spec.secret !== null && (answer.status === 401 || answer.status === 403)) secrets.forget(spec.secret);
      const more = { maybeSent: answer.maybeDone, wait: waitOf(answer) };
      throw new SendError(`${spec.name}: ${url.host} answers ${answer.status}`, more);
    },
  };
}

/** Over the time and the body, so that what was recorded cannot be sent again later. @param at seconds since 1970. */
export function signature(secret: string, at: number, body: string): Record<string, string> {
  const mac = createHmac("sha256", secret).update(`${at}.${body}`, "utf8").digest("hex");
  return { "alai-timestamp": String(at), "alai-signature": `v1=${mac}` };
}

function bodyOf({ notice, to, mark, attempt, again }: Outgoing): Readonly<Record<string, unknown>> {
  return {
    version: 1,
    id: mark,
    event: notice.kind,
    notice: notice.id,
    incident: notice.incident,
    host: notice.host,
    to,
    text: sentenceOf(notice),
    at: new Date(notice.at).toISOString(),
    since: new Date(notice.since).toISOString(),
    lasted_seconds: Math.round(notice.lasted / 1000),
    path: notice.path,
    paths: notice.paths,
    alarms: notice.alarms ?? null,
    by: notice.by,
    quiet_seconds: notice.quietFor === null ? null : Math.round(notice.quietFor / 1000),
    watcher: hostname(),
    attempt,
    maybe_repeated: again,
  };
}
