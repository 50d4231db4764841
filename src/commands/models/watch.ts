import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { narrow, toLine } from "../../kit/output.ts";
import { type Style, styleFor } from "../../kit/style.ts";
import { oneLine, toJson } from "../../kit/text.ts";
import type { Change } from "../../models/changes.ts";
import { manifestReader } from "../../models/manifest.ts";
import { asOnlyWatcher } from "../../models/only-one.ts";
import { iso } from "../../models/shown.ts";
import { watchModels } from "../../models/watch.ts";
import { MANIFEST_FLAG } from "./flags.ts";
import { printStatus, statusCode } from "./status.ts";

export const command = defineCommand({
  summary: "look at every endpoint of models, again and again",
  description: `Asks all endpoints of the manifest at once, every 15 seconds unless it says otherwise, and writes what it found for \`alai models route\` and \`status\`.
Two looks in a row change what is believed. Each change is printed, on stdout; an end by Ctrl-C or SIGTERM is exit 0.
Lines (not on a terminal): time, endpoint, model or tier, its name, what it is now, what it was, why.
Only one watcher runs at a time: a second one is refused with exit 1. With --once the exit is that of \`alai models status\`.`,
  examples: [
    ["alai models watch", "until Ctrl-C"],
    ["alai models watch --once", "look until everything is known, print it, and end"],
  ],
  args: [],
  flags: { ...MANIFEST_FLAG, once: { summary: "look until everything is known, print it as `status` does, and end" } },
  fields: {
    at: "when it was seen",
    what: "endpoint, model or tier",
    name: "its name; of a model ENDPOINT/MODEL",
    now: "up, down or unknown; of a tier where it leads now, ENDPOINT/MODEL or nothing",
    was: "the same before",
    why: "why, or null",
  },
  async run(context, { flags }) {
    const manifest = manifestReader(context, flags.manifest);
    const style = await styleFor(context, context.io.stdoutIsTty);
    const once = flags.once === true;
    const changed = (all: readonly Change[]) => {
      for (const change of all) print(context, change, style);
    };
    const signal = context.interrupted;
    const document = await asOnlyWatcher(context, () =>
      watchModels(context, { manifest, once, signal, changed: once ? () => {} : changed }),
    );
    if (!once) return EXIT.ok;
    if (signal.aborted) return EXIT.interrupted;
    await printStatus(context, document);
    return statusCode(context, document);
  },
});

function print({ io, flags }: Context, change: Change, style: Style): void {
  const at = iso(change.at) ?? "";
  const { what, name, now, was, why } = change;
  if (flags.json) io.out(`${toJson(narrow({ ...change, at }, flags.json))}\n`);
  else if (!flags.quiet)
    io.out(io.stdoutIsTty ? `${sentence(change, style)}\n` : `${toLine([at, what, name, now, was, why ?? ""])}\n`);
}

function sentence({ at, what, name, now, why }: Change, style: Style): string {
  const colour = now === "up" ? style.good : now === "down" || now === "nothing" ? style.bad : style.accent;
  const time = new Date(at).toTimeString().slice(0, 8);
  const verb = what === "tier" ? "leads to" : "is";
  const reason = why === null ? "" : style.dim(` (${oneLine(why)})`);
  return `${style.dim(time)}  ${what} ${style.strong(oneLine(name))} ${verb} ${colour(oneLine(now))}${reason}`;
}
