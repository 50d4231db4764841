import { readManifest } from "../dr/manifest/read.ts";
import type { Context } from "../kit/context.ts";
import { Exit, toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { span } from "../kit/when.ts";
import { compile } from "./compile.ts";
import { type StatusDocument, staleFor } from "./document.ts";
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

/** Why what is known says nothing of now, as a sentence; null when it does. */
export function whyUnsure(context: Context, document: StatusDocument): string | null {
  if (!document.watcher) return "Nobody watches the models on this machine: alai models watch.";
  const age = staleFor(document, context.clock());
  if (age === null) return null;
  const when = document.at > context.clock() ? "ahead of this clock" : "old";
  return `What is known of the models is ${span(age)} ${when}: their watcher (process ${document.watcher.pid}) is dead or hangs. Type alai models watch.`;
}
