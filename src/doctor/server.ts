import { monotonic } from "@alai/core/monotonic";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { span } from "../kit/when.ts";
import type { Finding } from "./finding.ts";

/** Further apart, and times that people read here and there do not fit together. */
const CLOCKS_APART = 5000;

/** What there is to say of the companion server: it answers, lets this caller in, and its clock is near ours. */
export async function serverFindings(
  context: Context,
  site: { readonly url: string; readonly source: string },
): Promise<Finding[]> {
  const { openServer } = await import("../mc/http/open.ts");
  try {
    const ledger = openServer(context, site);
    context.onExit(() => ledger.close());
    const start = monotonic();
    const { store, kind, schema, total, now } = await ledger.stats();
    const took = Math.round(monotonic() - start);
    const facts = `${store} (${site.source}), ${kind}, schema ${schema}, ${total} tasks, answered in ${took} ms`;
    return [{ state: "ok", finding: facts, remedy: null }, clocks(now - context.clock())];
  } catch (error) {
    const { message, hint } = toFailure(error);
    return [{ state: "fail", finding: message, remedy: hint ?? `correct or unset ${site.source}` }];
  }
}

function clocks(ahead: number): Finding {
  if (Math.abs(ahead) < CLOCKS_APART)
    return { state: "ok", finding: "the clock agrees with the server's", remedy: null };
  return {
    state: "warn",
    finding: `this clock is ${span(Math.abs(ahead))} ${ahead > 0 ? "behind" : "ahead of"} the server's`,
    remedy: "set the clock; leases go by the server's",
  };
}
