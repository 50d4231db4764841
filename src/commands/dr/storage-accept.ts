import type { Host, Manifest } from "../../dr/manifest/model.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printJson } from "../../kit/output.ts";
import { MANIFEST_FLAG } from "./flags.ts";

export const command = defineCommand({
  summary: "use the storage that is there now, although it is not the one that was",
  description: `Storage has a marker, and agents remember it: where it is another one's or missing, a disk is not mounted most likely, and
agents send nothing and heal nothing until the right storage is back. This says that there will be no other: agents of all hosts go
on with it within seconds, and what it lacks is sent anew, as whole images. What only the storage of before has, the history of
every database above all, cannot be restored from this one; proofs of before do not count for it. Nothing is removed. Where storage
is the one that it was, this only ends the alarm history_lost: what it has is what counts. To be typed on a host of the manifest.`,
  examples: [["alai dr storage accept --host anvil", "after docs/dr.md was read on what is lost by it"]],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    host: { value: "HOST", summary: "which host this is; default the one whose state is here" },
  },
  fields: {
    storage: "type and place",
    id: "of its marker, now",
    replaced: "whether it is another one than the agent of this host remembered",
  },
  async run(context, { flags }) {
    const [{ readManifest }, { openStorage }, { acceptStorage }, { rememberedStorage }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/storage/open.ts"),
      import("../../dr/marker.ts"),
      import("../../dr/agent/remembered.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    const before = rememberedStorage(await hostHere(manifest, flags.host), manifest)?.id;
    const storage = await openStorage(context, manifest.storage);
    context.onExit(() => storage.close());
    const { id } = await acceptStorage(storage, before ?? null, context.clock());
    say(context, { storage: storage.label, id, replaced: before !== undefined && id !== before });
    return EXIT.ok;
  },
});

async function hostHere(manifest: Manifest, name: string | undefined): Promise<Host> {
  const [{ hasRunHere }, { requireHost }] = await Promise.all([
    import("../../dr/agent/remembered.ts"),
    import("../../dr/manifest/host.ts"),
  ]);
  const asked = name === undefined ? manifest.hosts : [requireHost(manifest, name)];
  const here = asked.find(hasRunHere);
  if (here) return here;
  const names = asked.map((host) => host.name).join(" or ");
  throw new Exit(
    EXIT.notFound,
    "no_agent",
    `No agent of ${names} has run on this machine: which storage was used before is not known here.`,
    "Type this on a host of the manifest, as the agent's user.",
  );
}

interface Accepted {
  readonly storage: string;
  readonly id: string;
  readonly replaced: boolean;
}

function say(context: Context, accepted: Accepted): void {
  const { storage, replaced } = accepted;
  const text = replaced
    ? `${storage} is the storage from now on. Agents go on with it within seconds; then type alai dr prove.\n`
    : `${storage} is the storage that it was; what it has now is what counts.\n`;
  if (context.flags.json) printJson(context, { ...accepted });
  else if (!context.flags.quiet) context.io.out(text);
}
