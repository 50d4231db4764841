import { type Millis, toIso } from "@alai/core";
import { readManifest } from "../dr/manifest/read.ts";
import type { Context } from "../kit/context.ts";
import { Exit, toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { relative, span } from "../kit/when.ts";
import { compile } from "./compile.ts";
import { type StatusDocument, staleFor, unwatchedFor } from "./document.ts";
import { modelsFolder, readStatus } from "./files.ts";

/**
 * What is known of the models: the watcher's document, or where there is none, what the manifest says, with nothing known of it.
 * Throws Exit 3 when there is neither, and for a manifest that is wrong.
 */
export function whatIsKnown(context: Context, flag: string | undefined): StatusDocument {
  const document = readStatus(modelsFolder(context.paths.data));
  if (document) return document;
  try {
    return compile(readManifest(context, flag));
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code !== "no_manifest") throw error;
    throw new Exit(
      EXIT.notFound,
      "not_watched",
      `Nobody watches the models on this machine, and there is no manifest. ${failure.message}`,
      "Type alai models watch --manifest FILE, and keep it running.",
    );
  }
}

/** What of it may be otherwise now, as a sentence; null while somebody watches. */
export function whyUnsure(context: Context, document: StatusDocument): string | null {
  if (!document.watcher) return "Nobody watches the models on this machine: alai models watch.";
  const now = context.clock();
  const age = unwatchedFor(document, now);
  if (age === null) return null;
  const { once, pid } = document.watcher;
  if (once) return `${asOf(document.at, now)}${staleFor(document, now) === null ? "" : ": too long ago to go by"}.`;
  const when = document.at > now ? "ahead of this clock" : "old";
  return `What is known of the models is ${span(age)} ${when}: their watcher (process ${pid}) is dead or hangs. Type alai models watch.`;
}

function asOf(at: Millis, now: Millis): string {
  const when = `${toIso(at).slice(0, 19).replace("T", " ")} UTC`;
  return `As of ${when}, ${relative(at, now)}, by alai models watch --once`;
}
