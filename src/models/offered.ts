import { readManifest } from "../dr/manifest/read.ts";
import type { Context } from "../kit/context.ts";
import { Exit, toFailure } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { suggest } from "../kit/suggest.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { Secrets } from "../watch/secret.ts";
import { type EndpointStatus, type StatusDocument, type Target, unwatchedFor } from "./document.ts";
import { isListed } from "./listing.ts";
import { look } from "./look.ts";

/** So many names fit into a message. */
const NAMED = 20;

/**
 * Sees to it that an endpoint has a model. What the watcher sees there now is taken from it; else the endpoint is asked. Throws
 * Exit 3 with what is there for a model that is not, and Exit 1 where nobody can know and the manifest does not name it there.
 * @param manifest the value of `--manifest`: where the endpoint's key is said.
 */
export async function requireOffered(
  context: Context,
  document: StatusDocument,
  { endpoint: name, model }: Target,
  manifest: string | undefined,
): Promise<void> {
  const endpoint = document.endpoints.find((one) => one.name === name);
  const isNow = document.watcher !== null && unwatchedFor(document, context.clock()) === null;
  const known = endpoint?.models.find((one) => one.name === model);
  if (!endpoint || (isNow && endpoint.listed && known?.health.state === "up")) return;
  const key = await keyOf(context, name, manifest ?? document.manifest.file);
  const found = await look(context.env, { kind: endpoint.kind, url: endpoint.url, key }, document.timeout);
  if (found.trouble === null && found.names) {
    if (!isListed(endpoint.kind, found.names, model)) throw notThere(name, model, found.names);
  } else if (!known) throw notKnown(endpoint, model, found.trouble?.message ?? "it lists its models only with a key");
}

/** Null where none is named, or none is at hand: then it is asked without. */
async function keyOf(context: Context, endpoint: string, manifest: string): Promise<string | null> {
  try {
    const secret = readManifest(context, manifest).models?.endpoints.find(({ name }) => name === endpoint)?.secret;
    return secret ? await new Secrets(context, "alai models override").get(secret) : null;
  } catch (error) {
    context.warn(toFailure(error).message);
    return null;
  }
}

function notThere(endpoint: string, model: string, names: readonly string[]): Exit {
  const all = [...new Set(names)].map((name) => truncate(oneLine(name), 80));
  const near = suggest(model, all);
  const more = all.length > NAMED ? ` and ${all.length - NAMED} more` : "";
  const has = all.length === 0 ? "It has none." : `It has: ${all.slice(0, NAMED).join(", ")}${more}.`;
  const message = `${endpoint} has no model ${truncate(oneLine(model), 80)}.`;
  return new Exit(EXIT.notFound, "no_model", message, near ? `Did you mean ${near}? ${has}` : has);
}

function notKnown({ name, models }: EndpointStatus, model: string, why: string): Exit {
  const named = models.map((one) => one.name).join(", ") || "none";
  return new Exit(
    EXIT.refused,
    "not_known",
    `Whether ${name} has a model ${truncate(oneLine(model), 80)} is not known: ${why}.`,
    `The manifest names there: ${named}. --unchecked takes your word for it.`,
  );
}
