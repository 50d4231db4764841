import { existsSync } from "node:fs";
import type { Millis } from "@alai/core";
import { tokenSource } from "../../auth/source.ts";
import type { Context } from "../../kit/context.ts";
import { Http, type Patience, type Slow } from "../../kit/http.ts";
import { startSpinner } from "../../kit/progress.ts";
import { defaultMirror, siteOf } from "../mirror/place.ts";
import { askedPatience } from "../patience.ts";
import type { Site } from "./answers.ts";
import { Api } from "./api.ts";
import { HttpLedger } from "./ledger.ts";

const TIMEOUT: Millis = 10_000;
/** A server that was scaled to zero takes half a minute to wake; a person may be asked to wait that long, a script not. */
const TIMEOUT_OF_PEOPLE: Millis = 60_000;
/** Long enough for a server that is just restarted; a mistyped port should not cost a minute. */
const NOBODY_THERE: Millis = 3000;
const SLOW: Millis = 2000;

/**
 * The ledger on the server; nothing is sent yet. Throws a usage error for an address, token or length of time that cannot be.
 * @param timeout instead of what the user allows, for a process that is ended when it is over.
 */
export function openServer(context: Context, site: Site, timeout?: Millis): HttpLedger {
  const { env } = context;
  const url = siteOf(site.url, site.source);
  const patience = timeout === undefined ? patienceOf(context) : { timeout, refused: timeout };
  const http = new Http({ ...patience, env, slow: timeout === undefined ? whenSlow(context) : undefined });
  const { actor, actorSource } = context.identity();
  const api = new Api(http, {
    url,
    source: site.source,
    // A target of `mc migrate` is no ledger that `--offline` reads.
    hasMirror: () => site.source !== "--to" && existsSync(defaultMirror(context, url)),
    headers: headersOf(context),
    tokens: tokenSource(context, url, timeout),
    unnamed: actorSource === "system user" ? actor : null,
    timeout: patience.timeout,
  });
  return new HttpLedger(api);
}

/** What the user asked for, or what a person or a script may be asked to wait. */
function patienceOf(context: Context): Patience {
  const asked = askedPatience(context);
  if (asked !== undefined) return { timeout: asked, refused: asked };
  return { timeout: context.io.stderrIsTty ? TIMEOUT_OF_PEOPLE : TIMEOUT, refused: NOBODY_THERE };
}

/** Says that the server is being woken, and lets Ctrl-C through where a command has taken it over. */
function whenSlow(context: Context): Slow {
  return {
    after: SLOW,
    begin(giveUp) {
      const endTelling = tell(context);
      const stopListening = context.onSignal((signal) => {
        if (signal === "SIGINT" || signal === "SIGTERM") giveUp();
      });
      return () => {
        endTelling();
        stopListening();
      };
    },
  };
}

const WAKING = "waking the server…";

/** A spinner where one can be drawn, else a line; to people only. */
function tell(context: Context): () => void {
  const { io, flags } = context;
  if (!io.stderrIsTty || flags.quiet || flags.json) return () => {};
  if (io.stderrStream().columns) return startSpinner(context, WAKING);
  io.err(`alai: ${WAKING}\n`);
  return () => {};
}

const TRACE = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

function headersOf({ env, version }: Context): Record<string, string> {
  return {
    accept: "application/json",
    // Compressed answers would have to be unpacked here, and a ledger's are small.
    "accept-encoding": "identity",
    "user-agent": version === "" ? "alai" : `alai/${version}`,
    ...(env.TRACEPARENT && TRACE.test(env.TRACEPARENT) && { traceparent: env.TRACEPARENT }),
  };
}
