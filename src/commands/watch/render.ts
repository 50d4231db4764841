import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { resolve } from "node:path";
import type { Manifest } from "../../dr/manifest/model.ts";
import { readManifest } from "../../dr/manifest/read.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { PROGRAM_IN_PATH, programOn } from "../../kit/program-on.ts";
import { oneLine } from "../../kit/text.ts";
import { name } from "../../kit/values.ts";
import { renderContainer } from "../../watch/render/container.ts";
import { channelsWithoutSecret, GITHUB_LIMITS, renderGithub } from "../../watch/render/github.ts";
import { renderLaunchd, renderSystemd, WATCH } from "../../watch/render/units.ts";
import { MANIFEST_FLAG } from "./flags.ts";

const KINDS = ["systemd", "launchd", "container", "github"] as const;
type Kind = (typeof KINDS)[number];

export const command = defineCommand({
  summary: "what starts the watcher at boot: a service, a container, a GitHub workflow",
  description: `To stdout, or to --out FILE; a file that alai did not make is not overwritten. No secret is in it: a workflow takes them from the
repository's settings, a container from the environment it is started with, a service from its own or from what is sealed on its machine. What GitHub's schedule cannot do is said in the workflow and on stderr.`,
  examples: [
    ["alai watch render --github --out .github/workflows/alai-watch.yml", "every five minutes at best"],
    ["alai watch render --systemd --out alai-watch.service", "for a machine with Linux"],
    ["alai watch render --launchd --user alai --out com.alai.watch.plist", "for a Mac"],
    ["alai watch render --container --out alai-watch.Dockerfile", "for Docker"],
  ],
  args: [],
  flags: {
    github: { summary: "a GitHub Actions workflow that runs alai watch --once" },
    systemd: { summary: "a systemd unit" },
    launchd: { summary: "a launchd daemon" },
    container: { summary: "a Dockerfile, and how it is started" },
    user: { value: "NAME", summary: "who the service runs as, instead of you", parse: name("user") },
    out: { value: "FILE", summary: "the file to write, instead of stdout" },
    ...MANIFEST_FLAG,
  },
  async run(context, { flags }) {
    const [kind, ...more] = KINDS.filter((each) => flags[each]);
    if (!kind || more.length > 0)
      throw usage("One thing is rendered at a time.", `Type one of: ${KINDS.map((each) => `--${each}`).join(", ")}.`);
    const manifest = readManifest(context, flags.manifest);
    const text = render(context, kind, manifest, flags.user);
    if (flags.out === undefined) context.io.out(text);
    else write(resolve(context.cwd, flags.out), text);
    if (kind === "github" && !context.flags.quiet) sayLimits(context, manifest);
  },
});

function write(file: string, text: string): void {
  if (existsSync(file) && statSync(file).isFile() && !/^.*Made by: alai /m.test(readFileSync(file, "utf8")))
    throw new Exit(
      EXIT.refused,
      "not_ours",
      `${oneLine(file)} was not made by alai, so it was not overwritten.`,
      "Move it away, or name another file with --out.",
    );
  writeFileSync(file, text);
}

function render(context: Context, kind: Kind, manifest: Manifest, user: string | undefined): string {
  if (kind === "github") return renderGithub(manifest, context.version, context.cwd);
  if (kind === "container") return renderContainer(manifest, context.version);
  const program = programOn(context, kind === "systemd" ? "linux" : "darwin") ?? PROGRAM_IN_PATH;
  const words = { manifest: manifest.file, user: user ?? userInfo().username, program };
  return kind === "systemd" ? renderSystemd(WATCH, words) : renderLaunchd(WATCH, words);
}

function sayLimits(context: Context, manifest: Manifest): void {
  for (const limit of GITHUB_LIMITS) context.warn(limit);
  const without = channelsWithoutSecret(manifest);
  if (without.length > 0)
    context.warn(
      `the secret of ${without.join(", ")} is in the vault, which is not there: alerts do not go to it from GitHub`,
    );
}
