import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { withSpinner } from "../../kit/progress.ts";
import { PRIMARY_KEY, readPrimary } from "../epoch.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import { openStorage } from "../storage/open.ts";

/** Of which epoch a host's files are, and whether that host writes in it. */
export interface RenderedEpoch {
  /** Null: not known, and nothing that is rendered hangs on it. */
  readonly epoch: number | null;
  readonly writes: boolean;
  /** Where that is from, a sentence. */
  readonly said: string;
  /** Whether somebody has to look into it. */
  readonly isDoubtful: boolean;
}

/**
 * Asks storage, which alone knows after a failover. @param asked by `--epoch`: then nobody is asked, and the manifest's roles hold.
 * Throws where storage does not say it and the host is the manifest's primary: with storage's own exit, and how to go on without.
 */
export async function epochFor(
  context: Context,
  manifest: Manifest,
  host: Host,
  asked: number | undefined,
): Promise<RenderedEpoch> {
  const isPrimary = host.role === "primary";
  if (asked !== undefined)
    return { epoch: asked, writes: isPrimary, isDoubtful: false, said: `Epoch ${asked}, as --epoch says.` };
  try {
    return await byStorage(context, manifest, host);
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    if (isPrimary) throw notKnown(error);
    const said = `Whether ${host.name} was promoted is not known, so it gets the unit alone: ${error.message}`;
    return { epoch: null, writes: false, isDoubtful: true, said };
  }
}

async function byStorage(context: Context, manifest: Manifest, host: Host): Promise<RenderedEpoch> {
  const storage = await openStorage(context, manifest.storage);
  try {
    const { epoch, owner, etag } = await withSpinner(context, "asking storage which epoch it is…", () =>
      readPrimary(storage, manifest),
    );
    const writes = owner === host.name;
    if (etag === null)
      return { epoch, writes, isDoubtful: false, said: `Epoch ${epoch}: ${storage.label} knows of no failover.` };
    const said = `Epoch ${epoch}, as ${PRIMARY_KEY} of ${storage.label} says: ${owner} is the primary.`;
    if (writes === (host.role === "primary")) return { epoch, writes, isDoubtful: false, said };
    const drift = `The manifest says that ${host.name} is the ${host.role}: change the roles there.`;
    return { epoch, writes, isDoubtful: true, said: `${said} ${drift}` };
  } finally {
    storage.close();
  }
}

function notKnown(error: Exit): Exit {
  const how = "type --epoch N: the epoch that alai dr status shows, 1 where there never was a failover.";
  const hint = error.hint === undefined ? `T${how.slice(1)}` : `${error.hint.replace(/\.?$/, ".")} Or ${how}`;
  return new Exit(error.exit, "epoch_unknown", `Storage does not say which epoch it is: ${error.message}`, hint);
}
