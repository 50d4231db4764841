import {
  type Approval,
  type Grant,
  type LeaseStatus,
  type Millis,
  type Released,
  type SweptLease,
  toIso,
} from "@alai/core";
import type { View } from "../../kit/output.ts";
import type { Style } from "../../kit/style.ts";
import { oneLine } from "../../kit/text.ts";
import { relative } from "../../kit/when.ts";
import { iso } from "./iso.ts";

/** How leases are shown: grants, states, what was released or swept, approvals. */

export const GRANT_FIELDS = {
  id: "the task's number",
  title: "one line",
  holder: "actor:session",
  fence: "the claim's number on this task: pass it on to what you write elsewhere",
  until: "when the lease ends",
  ttl_seconds: "how long it lasts, counted from each renewal; `until` says when it ends",
  idempotent: "true when this session held it already",
  previous: "whose lapsed lease was taken over, or null",
} as const;

export function grantJson({ ttl, ...grant }: Grant): Record<keyof typeof GRANT_FIELDS, unknown> {
  return { ...grant, until: toIso(grant.until), ttl_seconds: ttl / 1000 };
}

export function grantView(verb: string, now: Millis): View<Grant> {
  return {
    columns: [
      { header: "ID", value: (grant) => String(grant.id) },
      { header: "FENCE", value: (grant) => String(grant.fence) },
      { header: "HOLDER", value: (grant) => grant.holder },
      { header: "UNTIL", value: (grant) => toIso(grant.until) },
    ],
    json: grantJson,
    sentence: (grant, style) =>
      `${style.good("✓")} ${grant.idempotent ? "Already yours:" : verb} ${style.strong(`#${grant.id}`)} ${oneLine(grant.title)} ${style.dim(`as ${oneLine(grant.holder)}, fence ${grant.fence}, ends ${relative(grant.until, now)}`)}`,
  };
}

export const STATUS_FIELDS = {
  id: "the task's number",
  title: "one line",
  state: "free, held or expired (ran out, not taken since: anyone may claim it)",
  holder: "actor:session, the last one when expired, or null",
  until: "when the lease ends or ended, or null",
  fence: "the number of the newest claim",
  seconds_left: "whole seconds to the end, negative after it, or null",
  mine: "true when this session holds it",
} as const;

export function statusView(now: Millis): View<LeaseStatus> {
  const word = (status: LeaseStatus) => (status.state === "held" ? "held" : "available");
  return {
    columns: [
      { header: "ID", value: (status) => String(status.id) },
      { header: "STATE", value: word },
      { header: "HOLDER", value: (status) => status.holder ?? "" },
      { header: "UNTIL", value: (status) => iso(status.until) ?? "" },
      { header: "FENCE", value: (status) => String(status.fence) },
    ],
    json: (status) => ({ ...status, until: iso(status.until) }),
    sentence: (status, style) =>
      `${style.strong(`#${status.id}`)} ${statusSentence(status, style, now)} ${style.dim(oneLine(status.title))}`,
  };
}

function statusSentence(status: LeaseStatus, style: Style, now: Millis): string {
  const holder = oneLine(status.holder ?? "");
  const until = status.until ?? now;
  if (status.state === "held")
    return `${style.warn("held")} by ${style.accent(holder)}${status.mine ? " (you)" : ""}, ends ${relative(until, now)}, fence ${status.fence}`;
  if (status.state === "expired")
    return `${style.good("available")}: the lease of ${holder} ended ${relative(until, now)}`;
  return style.good("available");
}

export const RELEASED_FIELDS = {
  id: "the task's number",
  fence: "the claim that was given back",
  already_free: "true when it was free already and this session held it last",
} as const;

export const RELEASED_VIEW: View<Released> = {
  columns: [
    { header: "ID", value: (released) => String(released.id) },
    { header: "STATE", value: () => "available" },
  ],
  json: (released) => ({ ...released }),
  sentence: (released, style) =>
    `${style.good("✓")} ${released.already_free ? "Free already:" : "Released"} ${style.strong(`#${released.id}`)}`,
};

export const SWEPT_FIELDS = {
  id: "the task's number",
  title: "one line",
  holder: "whose lease ran out",
  until: "when it ran out",
  fence: "the number of the claim",
  released: "true when the holder was taken off",
} as const;

export function sweptView(now: Millis): View<SweptLease> {
  return {
    columns: [
      { header: "ID", value: (lease) => String(lease.id), right: true },
      { header: "HOLDER", value: (lease) => lease.holder },
      { header: "ENDED", value: (lease) => toIso(lease.until), show: (lease) => relative(lease.until, now) },
      { header: "STATE", value: (lease) => (lease.released ? "released" : "expired") },
      { header: "TITLE", value: (lease) => lease.title, flexible: true },
    ],
    json: (lease) => ({ ...lease, until: toIso(lease.until) }),
    empty: "No lease has run out.",
  };
}

export const APPROVAL_FIELDS = {
  id: "the task's number",
  reason: "why",
  until: "how long others may act on it",
  by: "who approved",
} as const;

export function approvalView(now: Millis): View<Approval> {
  return {
    columns: [
      { header: "ID", value: (approval) => String(approval.id) },
      { header: "UNTIL", value: (approval) => toIso(approval.until) },
    ],
    json: (approval) => ({ ...approval, until: toIso(approval.until) }),
    sentence: (approval, style) =>
      `${style.good("✓")} Approved: others may act on ${style.strong(`#${approval.id}`)}, ends ${relative(approval.until, now)}`,
  };
}
