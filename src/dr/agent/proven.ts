import { confirmedUntil } from "../heartbeat/confirm.ts";
import type { DatabaseReport, Head, Proven } from "../report.ts";
import type { AgentState } from "./state.ts";

/**
 * Until when everything is known to be in storage, of one database in one epoch: the primary has said so of the copy. It is forgotten
 * when storage or the copy goes back to before the position that it is about, and it outlives the agent.
 */
export class ProvenUntil {
  readonly #kept: { readonly name: string; readonly kind: string };
  #value: Proven | null;

  constructor(state: AgentState, name: string, epoch: number) {
    this.#kept = { name, kind: `proven e${epoch}` };
    this.#value = toProven(state.recall<unknown>(name, this.#kept.kind));
  }

  /** What is to be kept of it. */
  get entry(): { readonly name: string; readonly kind: string; readonly value: Proven | null } {
    return { ...this.#kept, value: this.#value };
  }

  /** @param applied of the copy. @param committed as the primary says. */
  confirm(applied: Head | null, committed: Head | null): void {
    const found = confirmedUntil(applied, committed);
    if (found !== null && found.until >= (this.#value?.until ?? 0)) this.#value = found;
  }

  /** @param listed the newest transaction in storage, 0: none. @param applied of the copy, null: it has none for now. */
  look(listed: number, applied: number | null): void {
    const { txid } = this.#value ?? { txid: 0 };
    if (listed < txid || (applied ?? txid) < txid) this.#value = null;
  }

  /** Null as well while there is no copy that has all of it. @param shipped as storage was last listed; null: it never was. */
  of({ applied, shipped }: Pick<DatabaseReport, "applied" | "shipped">): Proven | null {
    const value = this.#value;
    if (value === null || (applied?.txid ?? 0) < value.txid) return null;
    return shipped === null || (shipped.txid ?? 0) >= value.txid ? value : null;
  }
}

/** Earlier releases kept a time alone, which nobody can tell the position of. */
function toProven(kept: unknown): Proven | null {
  const { until, txid } = Object(kept) as Partial<Proven>;
  return typeof until === "number" && typeof txid === "number" ? { until, txid } : null;
}
