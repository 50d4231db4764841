import { DEFAULT_TTL } from "@alai/core";
import type { Handlers } from "../call.ts";
import { only } from "./only.ts";
import { filterOf } from "./tasks.ts";

export const leaseHandlers: Handlers<
  "nextTask" | "claimNext" | "claim" | "extend" | "release" | "leaseStatus" | "sweep" | "approve" | "approvals"
> = {
  nextTask: ({ ledger, query, caller }) => ledger.next(filterOf(query), caller, null),
  claimNext: ({ ledger, body, caller }) => ledger.next(body?.filter ?? {}, caller, { ttl: body?.ttl ?? DEFAULT_TTL }),
  claim: async ({ ledger, params, body, caller }) =>
    only(await ledger.claim([params.id], caller, body?.ttl ?? DEFAULT_TTL)),
  extend: async ({ ledger, params, body, caller }) => only(await ledger.extend([params.id], caller, body?.ttl)),
  release: async ({ ledger, params, caller }) => only(await ledger.release([params.id], caller)),
  leaseStatus: async ({ ledger, params, caller }) => only(await ledger.leaseStatus([params.id], caller)),
  sweep: async ({ ledger, body, caller }) => ({ leases: await ledger.sweep(caller, body?.release ?? false) }),
  approve: async ({ ledger, params, body, caller }) =>
    only(await ledger.approve([params.id], body.reason, body.ttl, caller)),
  approvals: async ({ ledger, params }) => ({ approvals: await ledger.approvals(params.id) }),
};
