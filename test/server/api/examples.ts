import type { Caller } from "@alai/core";
import type { ServedLedger } from "../../../server/src/http/call.ts";
import type { Asked } from "./requests.ts";

/** The task that an example is about: new, free, and nobody's. */
type Make = (id: number, ledger: ServedLedger) => Partial<Asked> | Promise<Partial<Asked>>;

export const ANN: Caller = { actor: "ann", session: "s1" };

const held =
  (then: Partial<Asked> = {}): Make =>
  async (id, ledger) => {
    await ledger.claim([id], ANN, 60_000);
    return { path: `/tasks/${id}/lease`, ...then };
  };

/** Requests that succeed, to the operations that chance seldom finds in the state that they need. */
export const EXAMPLES: Readonly<Record<string, Make>> = {
  nextTask: () => ({ path: "/tasks/next" }),
  claimNext: () => ({ path: "/tasks/next/lease", body: {} }),
  editTask: (id) => ({ path: `/tasks/${id}`, body: { title: "another" }, headers: { "if-match": "*" } }),
  setStatus: (id) => ({ path: `/tasks/${id}/status`, body: { verb: "done" } }),
  setBlockers: async (id, ledger) => {
    const [blocker] = await ledger.add([{ title: "before it" }], ANN);
    return { path: `/tasks/${id}/blockers`, body: { add: [blocker?.task.id] } };
  },
  claim: (id) => ({ path: `/tasks/${id}/lease`, body: {} }),
  extend: held({ body: {} }),
  release: held(),
  undo: async (id, ledger) => {
    await ledger.edit([id], { title: "another" }, ANN);
    return { path: "/events/undo", body: {} };
  },
  restore: async (_id, ledger) => ({ path: "/restore", body: { head: await ledger.dumpHead(), rows: [] } }),
};

/** A whole request out of an example. */
export async function exampleOf(make: Make, ledger: ServedLedger): Promise<Asked> {
  const [added] = await ledger.add([{ title: "for an example" }], ANN);
  const { headers, ...said } = await make(added?.task.id ?? 0, ledger);
  return {
    path: "",
    query: "",
    body: undefined,
    ...said,
    headers: { "alai-actor": ANN.actor, "alai-session": ANN.session, ...headers },
  };
}
