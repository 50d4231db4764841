import { posix, relative, sep } from "node:path";
import type { Manifest } from "../../dr/manifest/model.ts";
import { isReference } from "../../secrets/reference.ts";

/** What GitHub's schedule cannot do, in its own documentation's terms (docs.github.com, events that trigger workflows, billing). */
export const GITHUB_LIMITS: readonly string[] = [
  "A schedule runs every five minutes at best: an outage is seen after five to ten minutes, not after seconds.",
  "Runs may start late, by minutes to hours, and may be dropped when GitHub is busy, above all at the full hour.",
  "In a public repository the schedule is switched off after 60 days without activity.",
  "Each run is billed as whole minutes: every five minutes is 8,640 minutes a month; private repositories include 2,000 to 3,000.",
  "The state is in the cache of Actions, which GitHub may empty: an alert may then be repeated.",
  "So this is the third net: `alai watch` on another host is the first, its dead-man's ping the second.",
];

/**
 * A GitHub Actions workflow that runs `alai watch --once`. Secrets stay in the repository's settings: only their names are in it.
 * @param version of alai to install. @param cwd the root of the repository.
 */
export function renderGithub(manifest: Manifest, version: string, cwd: string): string {
  const file = relative(cwd, manifest.file).split(sep).join(posix.sep);
  return `# Made by: alai watch render --github
#
# What this can and cannot do:
${GITHUB_LIMITS.map((limit) => `# - ${limit}\n`).join("")}${notThere(manifest)}
name: alai watch

on:
  schedule:
    # Not at the full hour, when GitHub is busiest.
    - cron: "2/5 * * * *"
  workflow_dispatch:

permissions:
  contents: read

# Two runs at once would tell everything twice.
concurrency:
  group: alai-watch
  cancel-in-progress: false

jobs:
  watch:
    runs-on: ubuntu-latest
    timeout-minutes: 4
    env:
      ALAI_DATA_DIR: \${{ github.workspace }}/.alai-watch
      ALAI_DR_MANIFEST: ${JSON.stringify(file)}
    steps:
      - uses: actions/checkout@v4
${tailscale(manifest)}      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - run: npm install --global @alai/cli@${version}
      # What the last run saw and told, so that nothing is told twice.
      - uses: actions/cache/restore@v4
        with:
          path: .alai-watch
          key: alai-watch-\${{ github.run_id }}-\${{ github.run_attempt }}
          restore-keys: alai-watch-
      # Exit 1, a host is down, makes the run fail: GitHub then also mails who last changed the schedule.
      - run: alai watch --once
${environment(manifest)}      - uses: actions/cache/save@v4
        if: always()
        with:
          path: .alai-watch
          key: alai-watch-\${{ github.run_id }}-\${{ github.run_attempt }}
`;
}

/** Names of the environment variables that the channels' secrets are in. */
export function variables({ watch }: Manifest): string[] {
  const secrets = watch.channels.flatMap(({ secret }) => (secret === null || isReference(secret) ? [] : [secret]));
  return [...new Set(secrets)];
}

function environment(manifest: Manifest): string {
  const names = variables(manifest);
  if (names.length === 0) return "";
  return `        env:\n${names.map((name) => `          ${name}: \${{ secrets.${name} }}\n`).join("")}`;
}

/** Channels whose secret is in a vault, which no runner of GitHub has. */
export function channelsWithoutSecret({ watch }: Manifest): string[] {
  return watch.channels.flatMap(({ name, secret }) => (secret !== null && isReference(secret) ? [name] : []));
}

function notThere(manifest: Manifest): string {
  const names = channelsWithoutSecret(manifest);
  if (names.length === 0) return "";
  return `# - The secret of ${names.join(", ")} is in the vault, which is not here: give it as an environment variable in the manifest.\n`;
}

function tailscale({ hosts }: Manifest): string {
  if (!hosts.some(({ addresses }) => addresses.some(isPrivate))) return "";
  return `      # The hosts' addresses are private: without this step none of them answers, and all seem down.
      - uses: tailscale/github-action@v3
        with:
          oauth-client-id: \${{ secrets.TS_OAUTH_CLIENT_ID }}
          oauth-secret: \${{ secrets.TS_OAUTH_SECRET }}
          tags: tag:ci
`;
}

/** Addresses that no runner of GitHub reaches by itself: private networks, Tailscale's, and names without a public domain. */
export function isPrivate(address: string): boolean {
  const name = address.toLowerCase();
  if (/^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(name))
    return true;
  if (name.includes(":")) return /^(::1$|f[cd]|fe[89ab])/.test(name);
  return !name.includes(".") || /\.(ts\.net|local|lan|internal|home\.arpa|localhost)$/.test(name);
}
