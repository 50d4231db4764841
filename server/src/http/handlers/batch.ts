import { DEFAULT_TTL } from "@alai/core";
import type { Call, Handlers } from "../call.ts";
import { requireSession } from "../caller.ts";
import { requireScope } from "../scope.ts";

/** One verb over several tasks, in one transaction of the ledger. */
export const batchHandlers: Handlers<"batch"> = {
  async batch(call) {
    const { request, body } = call;
    if (!READS.has(body.verb)) requireScope(request.subject, "tasks.write");
    if (LEASES.has(body.verb)) requireSession(request);
    return { results: await run(call) };
  },
};

/** Verbs that a token without `tasks.write` may use too. */
const READS: ReadonlySet<string> = new Set(["get", "lease"]);

/** Verbs that gain, keep or give back a lease. */
const LEASES: ReadonlySet<string> = new Set(["claim", "extend", "release"]);

function run({ ledger, caller, body }: Call<"batch">) {
  switch (body.verb) {
    case "add":
      return ledger.add(body.tasks, caller);
    case "get":
      return ledger.get(body.ids);
    case "edit":
      return ledger.edit(body.ids, body.patch, caller, body.ifVersion);
    case "note":
      return ledger.note(body.ids, body.text, caller);
    case "status":
      return ledger.setStatus(body.ids, body.change, caller);
    case "claim":
      return ledger.claim(body.ids, caller, body.ttl ?? DEFAULT_TTL);
    case "extend":
      return ledger.extend(body.ids, caller, body.ttl);
    case "release":
      return ledger.release(body.ids, caller);
    case "lease":
      return ledger.leaseStatus(body.ids, caller);
    case "approve":
      return ledger.approve(body.ids, body.reason, body.ttl, caller);
  }
}
