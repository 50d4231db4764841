import { StoreError } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import type { NoAnswer } from "../../kit/http.ts";
import { isLoopback } from "../../kit/loopback.ts";
import { oneLine } from "../../kit/text.ts";
import { type Site, UNKNOWN } from "./answers.ts";

/** In words: why no answer came, and what to look at. It never means that the local file is used instead. */
export function noAnswer(site: Site, error: NoAnswer, changes: boolean, timeout: number): Error {
  const unknown = changes && error.maybeDone ? UNKNOWN : undefined;
  if (error.kind === "interrupted") return new Exit(EXIT.interrupted, "interrupted", "Interrupted.", unknown);
  const [message, advice] = words(site, error, timeout);
  const isAway = error.kind === "refused" || error.kind === "name";
  const hint = isAway && site.hasMirror?.() ? `${advice} ${MIRROR}` : advice;
  return new StoreError("unavailable", message, unknown ? `${unknown} ${hint}` : hint, error);
}

const MIRROR = "A mirror of it can be read meanwhile: `alai mc list --offline`.";

function words({ url, source }: Site, error: NoAnswer, timeout: number): [message: string, hint: string] {
  const why = oneLine(error.message);
  const named = `${url} (${source})`;
  switch (error.kind) {
    case "refused":
      return [`Nothing answers at ${named}: ${why}.`, "Check that the server runs, and the address."];
    case "name":
      return [`There is no host of that name: ${named}.`, "Check the spelling, and that this machine is online."];
    case "tls":
      return [
        `${named} cannot be trusted: ${why}.`,
        "Check the address. Where a company signs its own certificates, NODE_EXTRA_CA_CERTS names the file of its authority.",
      ];
    case "no_tls":
      return [
        `${named} does not speak TLS.`,
        isLoopback(new URL(url))
          ? "Check the port; a server on this machine may be named with http://."
          : "Check the address and its port; http:// is allowed for this machine only (127.0.0.1).",
      ];
    case "garbled":
      return [`${named} does not speak HTTP: ${why}.`, "Check the address and its port."];
    case "too_large":
      return [`The answer of ${named} is too long: ${why}.`, "Ask for less: --limit, --after."];
    case "timeout":
      return [`${named} did not answer within ${seconds(timeout)}.`, "Try again, or wait longer: --timeout 60s."];
    default:
      return [`The connection to ${named} broke: ${why}.`, "Try again; check the network and what is in between."];
  }
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
