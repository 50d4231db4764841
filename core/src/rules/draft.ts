import type { Changes, EventKind } from "../event.ts";
import type { Holder } from "../holder.ts";

/** A line of the journal before the ledger gave it a number and a time. */
export interface EventDraft {
  readonly task: number | null;
  readonly kind: EventKind;
  readonly by: Holder;
  readonly fence?: number | null;
  readonly data?: Readonly<Record<string, unknown>> & { readonly changes?: Changes };
}
