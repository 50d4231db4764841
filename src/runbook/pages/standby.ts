import { PROOF_LIMIT } from "../../dr/watchdogs/proof.ts";
import { exactly } from "../lengths.ts";
import { block, code, list, plain, table } from "../markdown.ts";
import type { Facts, Page } from "../page.ts";
import { standbysOf } from "../views.ts";

export const standby: Page = {
  title: "Standby",
  file: "04-standby.md",
  uses: { state: false, drill: false },
  body: (facts) =>
    standbysOf(facts).length === 0
      ? "The manifest has no standby: after a loss of the primary everything is restored from storage.\n"
      : `The standby is made of storage alone: what is on it has come the whole way. Its agent lists storage, reads what is new, checks it, and gives readers the last verified copy; a copy is never half-written in its place.

${standbysOf(facts)
  .map(
    ({ name, databases, state }) =>
      `- ${plain(name)}: copies for readers in ${code(databases)}, working copies in ${code(`${state}/copies`)}\n`,
  )
  .join("")}
## What is followed

${followed(facts)}
## What the agent does by itself

${list([
  "A copy that stands still while storage has more for it is given up and made anew from the newest snapshot, and counted.",
  "A copy that does not pass its check never reaches readers; they keep the one before.",
  "While storage is silent nothing is thrown away: what was there stays.",
])}
## Every day

A restore that was never tried is no backup. On the standby, once a day:

${block("sh", "alai dr prove")}
Each database is restored from storage, checked, counted, and once more as it was at an earlier moment. What was not proven for ${exactly(PROOF_LIMIT)} is red in \`alai dr status\`.
`,
};

function followed({ manifest }: Facts): string {
  const rows = manifest.tiers
    .toSorted((a, b) => a.order - b.order)
    .map((tier) => {
      const members = manifest.databases.filter((one) => one.tier.name === tier.name);
      const not = members.filter(({ follow }) => !follow).map(({ name }) => plain(name));
      return [plain(tier.name), `${members.length - not.length} of ${members.length}`, not.toSorted().join(", ")];
    });
  return table(["Tier", "Followed", "Only in storage"], rows);
}
