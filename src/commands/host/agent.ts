import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { duration } from "../../kit/values.ts";
import { MANIFEST_FLAG } from "../dr/flags.ts";

const QUICKEST = 500;
/** Bytes for new objects: a listing of storage makes many, and needs none of them for long. */
const YOUNG = 4 * 2 ** 20;

export const command = defineCommand({
  summary: "the daemon of one host: replicate, follow, watch",
  description: `Runs until SIGTERM or Ctrl-C; started at boot by the unit that alai dr render writes.
On the host that storage names as the primary it runs Litestream for every database and writes heartbeats; on a standby it keeps
the copies current, and makes the proof and the drill of each day. It never writes while storage does not say that this host may.
Where the manifest has models it watches their servers. What to do about each alarm: docs/dr.md.
Log lines (JSON) go to standard output. /health, /report, /history and /metrics are served on 127.0.0.1 and, to those who have the
token in ALAI_DR_TOKEN, on the host's own addresses.`,
  examples: [["alai host agent --host anvil", "what the unit runs"]],
  args: [],
  flags: {
    host: { value: "NAME", summary: "which host of the manifest this is" },
    ...MANIFEST_FLAG,
    poll: { value: "TIME", summary: "between two looks of a standby at storage (5s)", parse: poll },
  },
  async run(context, { flags }) {
    if (flags.host === undefined)
      throw usage("Which host is this?", "Type its name in the manifest, for example --host anvil.");
    // Before the libraries are loaded: what grows then never shrinks.
    const [{ boundYoungGeneration }, { preferSmallHeap }] = await Promise.all([
      import("@alai/core/young-generation"),
      import("../../dr/agent/heap.ts"),
    ]);
    preferSmallHeap();
    context.onExit(boundYoungGeneration(YOUNG));
    const [{ readManifest }, { startAgent }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/agent/start.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    await startAgent(context, manifest, flags.host, { poll: flags.poll, write: (line) => context.io.out(line) });
  },
});

function poll(raw: string): number {
  const ms = duration(raw);
  if (ms >= QUICKEST && ms <= 3_600_000) return ms;
  throw usage(`A look every ${raw} is not allowed.`, "Type 500ms to 1h, for example --poll 5s.");
}
