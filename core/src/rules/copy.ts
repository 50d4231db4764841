import { Refusal } from "../refusal.ts";

/** A copy gets its numbers from its source: until all of them are here it gives out none of its own. */
export function unfinishedCopy(store: string): Refusal {
  return new Refusal("constraint", `${store} is a copy that is not complete yet; it takes no changes.`, {
    hint: "Run the copy again: it goes on where it stopped.",
  });
}

/** @param own this ledger's id. @param source the id of what was to be copied into it. */
export function notACopy(own: string, source: string): Refusal {
  return new Refusal("constraint", `This ledger (${own}) is not a copy of ${source}: two are never mixed.`, {
    hint: "Copy into an empty ledger.",
  });
}
