import type { Ledger } from "@alai/core";
import { type Feed, waitForEvents } from "../../streams/index.ts";
import type { Handlers } from "../call.ts";

export function journalHandlers(feed: Feed, ledger: Ledger): Handlers<"events" | "undo" | "prune"> {
  return {
    async events({ query, gone }) {
      const { wait, ...asked } = query;
      if (wait && asked.last === undefined)
        return { events: await waitForEvents(feed, ledger, { ...asked, wait }, gone) };
      const events = await ledger.events(asked);
      // Nothing after a number: the number may be one that this ledger never had, of a copy that was newer.
      if (events.length === 0 && asked.after) await feed.check({ after: asked.after });
      return { events };
    },
    undo: ({ body, caller }) => ledger.undo(body?.seq ?? null, caller),
    prune: ({ body, caller }) => ledger.prune(body.before, caller),
  };
}
