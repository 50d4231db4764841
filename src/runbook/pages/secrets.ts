import { TOKEN } from "../../dr/agent/token.ts";
import { WAYS } from "../../dr/litestream/environment.ts";
import type { Manifest } from "../../dr/manifest/model.ts";
import { isReference } from "../../secrets/reference.ts";
import { block, cellCode, plain, table } from "../markdown.ts";
import type { Page } from "../page.ts";

/** A secret by its name; never by its value. */
interface Named {
  readonly name: string;
  readonly what: string;
  readonly where: string;
}

export const secrets: Page = {
  title: "Secrets",
  file: "08-secrets.md",
  uses: { state: false, drill: false },
  body: ({ manifest }) => `Names and places. No value is in the manifest, in a rendered file or on this page.

${table(
  ["Secret", "What for", "Who needs it", "Where"],
  secretsOf(manifest).map(({ name, what, where }) => [cellCode(name), what, where, placeOf(name)]),
)}
${ways(manifest)}A name without \`bw://\` is an environment variable; what is sealed on the machine under the same name stands in for both (an agent that starts at boot has no vault).

${block("sh", "alai secrets status      # is the vault unlocked?\nalai secrets run --env NAME=bw://ITEM/FIELD -- alai dr status")}
After a leak: revoke it where it was made, make a new one, put it into the vault, seal it again on the hosts, restart the agents.
`,
};

function secretsOf(manifest: Manifest): readonly Named[] {
  const hosts = manifest.hosts.map(({ name }) => plain(name)).join(", ");
  const storage = manifest.storage.type === "file" ? [] : [...new Set(WAYS[manifest.storage.type].flat())];
  const channels = manifest.watch.channels.flatMap(({ name, kind, secret }) =>
    secret === null ? [] : [{ name: secret, what: `alerts: ${plain(name)} (${kind})`, where: "the watcher" }],
  );
  const models = (manifest.models?.endpoints ?? []).flatMap(({ name, secret }) =>
    secret === null ? [] : [{ name: secret, what: `models: ${plain(name)}`, where: "who calls it" }],
  );
  const { runbook } = manifest;
  const push = runbook ? [{ name: runbook.secret, what: "this runbook in BookStack", where: "who pushes it" }] : [];
  return [
    ...storage.map((name) => ({ name, what: "storage", where: `the agents: ${hosts}` })),
    { name: TOKEN, what: "agents' reports to other machines", where: `${hosts}, and who runs \`alai dr status\`` },
    ...[...channels, ...models, ...push].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
  ];
}

function placeOf(name: string): string {
  return isReference(name) ? "the vault" : "the environment, or sealed on the machine";
}

function ways({ storage: { type } }: Manifest): string {
  if (type === "file") return "";
  const sets = WAYS[type].map((names) => names.map((name) => `\`${name}\``).join(" and "));
  return `Of those for storage one set is needed: ${sets.join("; or ")}.\n\n`;
}
