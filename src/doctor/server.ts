import { monotonic } from "@alai/core/monotonic";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { span } from "../kit/when.ts";
import type { HttpLedger } from "../mc/http/ledger.ts";
import type { Finding } from "./finding.ts";

/** Further apart, and times that people read here and there do not fit together. */
const CLOCKS_APART = 5000;

/** What there is to say of the companion server: it answers, lets this caller in, and its clock is near ours. */
export async function serverFindings(
  context: Context,
  site: { readonly url: string; readonly source: string },
): Promise<Finding[]> {
  const { openServer } = await import("../mc/http/open.ts");
  let ledger: HttpLedger | undefined;
  try {
    ledger = openServer(context, site);
    const opened = ledger;
    context.onExit(() => opened.close());
    const start = monotonic();
    const { store, kind, schema, total, now } = await ledger.stats();
    const took = Math.round(monotonic() - start);
    const facts = `${store} (${site.source}), ${kind}, schema ${schema}, ${total} tasks, answered in ${took} ms`;
    return [
      { state: "ok", finding: facts, remedy: null },
      clocks(now - context.clock()),
      ...(await signInFindings(context, ledger)),
    ];
  } catch (error) {
    const { exit, message, hint } = toFailure(error);
    const failed: Finding = { state: "fail", finding: message, remedy: hint ?? `correct or unset ${site.source}` };
    // A token that holds and allows too little: whose it is says more.
    return [failed, ...(ledger && exit === EXIT.signIn ? await signInFindings(context, ledger) : [])];
  }
}

/** Who the server takes this caller for. Nothing where it does not say: no token that holds, or an older server. */
async function signInFindings(context: Context, ledger: HttpLedger): Promise<Finding[]> {
  const me = await ledger.whoAmI().catch(() => null);
  if (!me) return [];
  const check = "sign-in";
  const { actor, actorSource } = context.identity();
  const scopes = me.scopes.length > 0 ? me.scopes.join(" ") : "no scope";
  const others = me.may_act_for_others ? " and may act for others" : "";
  const who =
    me.subject === "open" ? "nobody has to sign in there" : `signed in as ${me.subject}, acts as ${me.actor}${others}`;
  const finding = `${who}, allowed: ${scopes}`;
  const isOther = actorSource !== "system user" && actor !== me.actor && !me.may_act_for_others;
  if (!isOther) return [{ check, state: "ok", finding, remedy: null }];
  const remedy = `leave --actor and ALAI_ACTOR out, or set them to ${me.actor}`;
  return [
    { check, state: "warn", finding: `${finding}; calls name ${actor} (${actorSource}), which it refuses`, remedy },
  ];
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
