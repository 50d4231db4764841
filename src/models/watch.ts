import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Manifest } from "../dr/manifest/model.ts";
import type { Context } from "../kit/context.ts";
import { toFailure } from "../kit/errors.ts";
import { Secrets } from "../watch/secret.ts";
import { advance, isOpen } from "./advance.ts";
import { type Change, changes } from "./changes.ts";
import { compile, modelsOf, withKnown } from "./compile.ts";
import { type StatusDocument, unwatchedFor } from "./document.ts";
import { modelsFolder, readOverrides, readStatus } from "./files.ts";
import { type Look, look } from "./look.ts";
import { replaceFile } from "./write.ts";

/** Between two looks at what is not known yet. */
const SOON: Millis = 500;
/** Rounds of `--once`: an endpoint that answers every other time stays unknown, and is not waited for. */
const MOST_AT_ONCE = 4;

export interface WatchOptions {
  /** The manifest, or the one of before where it has not changed. Throws where it is wrong. */
  readonly manifest: () => Manifest;
  /** Ends when everything is known. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  readonly changed: (changes: readonly Change[]) => void;
}

/** Looks at every endpoint at once, again and again, and writes what it found. @returns the last document. */
export async function watchModels(context: Context, options: WatchOptions): Promise<StatusDocument> {
  const folder = modelsFolder(context.paths.data);
  sweep(folder);
  const watcher = { pid: process.pid, since: context.clock(), ...(options.once && { once: true }) };
  const secrets = new Secrets(context);
  const say = sayOnce(context);
  let manifest = options.manifest();
  let document: StatusDocument = { ...resumed(context, folder, compile(manifest)), watcher };
  for (let round = 1; ; round++) {
    const start = monotonic();
    const before = document;
    manifest = current(options, manifest, say);
    if (manifest.hash !== document.manifest.hash) document = { ...withKnown(compile(manifest), document), watcher };
    const looks = await lookAtAll(context, manifest, secrets, say);
    document = advance(document, looks, context.clock());
    save(folder, document, options.once, say);
    options.changed(changes(before, document, readOverrides(folder)));
    const open = isOpen(document);
    if (options.signal.aborted || (options.once && (!open || round === MOST_AT_ONCE))) return document;
    // What is not known is looked at again at once, a few times; then it waits for its turn like the rest.
    const pause = open && round < MOST_AT_ONCE ? SOON : document.interval - (monotonic() - start);
    await sleep(Math.max(0, pause), undefined, { signal: options.signal }).catch(() => {});
    if (options.signal.aborted) return document;
  }
}

/** What a watcher of before knew holds as long as it would have held for a reader. */
function resumed({ clock }: Context, folder: string, fresh: StatusDocument): StatusDocument {
  const known = readStatus(folder);
  return known?.watcher && unwatchedFor(known, clock()) === null ? withKnown(fresh, known) : fresh;
}

/** A manifest that became wrong while it is edited is no reason to stop looking. */
function current({ manifest }: WatchOptions, before: Manifest, say: (sentence: string | null) => void): Manifest {
  try {
    const read = manifest();
    modelsOf(read);
    say(null);
    return read;
  } catch (error) {
    say(`${toFailure(error).message} The manifest of before stays in force.`);
    return before;
  }
}

async function lookAtAll(
  context: Context,
  manifest: Manifest,
  secrets: Secrets,
  say: (sentence: string | null, about: string) => void,
): Promise<readonly Look[]> {
  const { endpoints, timeout } = modelsOf(manifest);
  return Promise.all(
    endpoints.map(async ({ name, kind, url, secret }) => {
      const key = secret === null ? null : await keyOf(secrets, secret, (sentence) => say(sentence, name));
      return look(context.env, { kind, url, key }, timeout);
    }),
  );
}

/** Without its key an endpoint can still be seen to answer. */
async function keyOf(secrets: Secrets, name: string, say: (sentence: string | null) => void): Promise<string | null> {
  try {
    const key = await secrets.get(name);
    say(null);
    return key;
  } catch (error) {
    say(toFailure(error).message);
    return null;
  }
}

function save(
  folder: string,
  document: StatusDocument,
  must: boolean,
  say: (sentence: string | null, about: string) => void,
): void {
  try {
    replaceFile(folder, "status.json", document);
    say(null, "status");
  } catch (error) {
    if (must) throw error;
    say(`The status cannot be written: ${toFailure(error).message}`, "status");
  }
}

/** Warns of each thing once, until it is well again. */
function sayOnce(context: Context): (sentence: string | null, about?: string) => void {
  const said = new Map<string, string | null>();
  return (sentence, about = "manifest") => {
    if (sentence !== null && said.get(about) !== sentence) context.warn(sentence);
    said.set(about, sentence);
  };
}

/** What a watcher that was killed had written aside. */
function sweep(folder: string): void {
  try {
    for (const name of readdirSync(folder))
      if (/^status\.json\..*\.new$/.test(name)) rmSync(join(folder, name), { force: true });
  } catch {
    // There is no folder yet.
  }
}
