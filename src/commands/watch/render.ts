import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { resolve } from "node:path";
import type { Manifest } from "../../dr/manifest/model.ts";
import { readManifest } from "../../dr/manifest/read.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { name } from "../../kit/values.ts";
import { channelsWithoutSecret, GITHUB_LIMITS, renderGithub } from "../../watch/render/github.ts";
import { renderLaunchd, renderSystemd } from "../../watch/render/units.ts";
import { MANIFEST_FLAG } from "./flags.ts";

const KINDS = ["github", "systemd", "launchd"] as const;
type Kind = (typeof KINDS)[number];

export const command = defineCommand({
  summary: "a GitHub workflow or a service for the watcher",
  description: `To stdout, or to --out FILE. No secret is in it: a workflow takes them from the repository's settings, a service from its
environment or from what is sealed on its machine. What GitHub's schedule cannot do is said in the workflow and on stderr.`,
  examples: [
    ["alai watch render --github --out .github/workflows/alai-watch.yml", "every five minutes at best"],
    ["alai watch render --systemd --out alai-watch.service", "for a machine with Linux"],
    ["alai watch render --launchd --user alai --out com.alai.watch.plist", "for a Mac"],
  ],
  args: [],
  flags: {
    github: { summary: "a GitHub Actions workflow that runs alai watch --once" },
    systemd: { summary: "a systemd unit" },
    launchd: { summary: "a launchd daemon" },
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
    else writeFileSync(resolve(context.cwd, flags.out), text);
    if (kind === "github" && !context.flags.quiet) sayLimits(context, manifest);
  },
});

function render(context: Context, kind: Kind, manifest: Manifest, user: string | undefined): string {
  if (kind === "github") return renderGithub(manifest, context.version, context.cwd);
  const words = { manifest: manifest.file, user: user ?? userInfo().username };
  return kind === "systemd" ? renderSystemd(words) : renderLaunchd(words);
}

function sayLimits(context: Context, manifest: Manifest): void {
  for (const limit of GITHUB_LIMITS) context.warn(limit);
  const without = channelsWithoutSecret(manifest);
  if (without.length > 0)
    context.warn(
      `the secret of ${without.join(", ")} is in the vault, which is not there: alerts do not go to it from GitHub`,
    );
}
