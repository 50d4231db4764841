import { userInfo } from "node:os";
import type { Manifest } from "../../dr/manifest/model.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { narrow, toLine } from "../../kit/output.ts";
import { PROGRAM_IN_PATH, programOn } from "../../kit/program-on.ts";
import { type Style, styleFor } from "../../kit/style.ts";
import { oneLine, toJson, truncate } from "../../kit/text.ts";
import { name } from "../../kit/values.ts";
import type { Change } from "../../models/changes.ts";
import { modelsOf } from "../../models/compile.ts";
import { manifestReader } from "../../models/manifest.ts";
import { asOnlyWatcher } from "../../models/only-one.ts";
import { iso } from "../../models/shown.ts";
import { watchModels } from "../../models/watch.ts";
import { MODELS_WATCH, renderLaunchd, renderSystemd } from "../../watch/render/units.ts";
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
    [
      "alai models watch --unit systemd > alai-models-watch.service",
      "to start it at boot; agents of hosts do it themselves",
    ],
  ],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    unit: { value: "KIND", summary: "print what starts it at boot, systemd or launchd, and end", parse: unitKind },
    user: { value: "NAME", summary: "who that service runs as, instead of you", parse: name("user") },
    once: { summary: "look until everything is known, print it as `status` does, and end" },
  },
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
    if (flags.unit) return printUnit(context, flags.unit, modelsAt(manifest()), flags.user);
    if (flags.user) throw usage("--user is for --unit.", "Leave it out: the watcher runs as you.");
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

const UNITS = { systemd: renderSystemd, launchd: renderLaunchd } as const;

function unitKind(raw: string): keyof typeof UNITS {
  if (raw === "systemd" || raw === "launchd") return raw;
  throw usage(`"${truncate(oneLine(raw), 40)}" is no kind of unit.`, "Type --unit systemd or --unit launchd.");
}

/** @returns the manifest's path. Throws Exit 3 for one that says nothing of models: what it starts would end at once. */
function modelsAt(manifest: Manifest): string {
  modelsOf(manifest);
  return manifest.file;
}

function printUnit(context: Context, kind: keyof typeof UNITS, manifest: string, user: string | undefined): number {
  const program = programOn(context, kind === "systemd" ? "linux" : "darwin") ?? PROGRAM_IN_PATH;
  context.io.out(UNITS[kind](MODELS_WATCH, { manifest, user: user ?? userInfo().username, program }));
  return EXIT.ok;
}

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
