import { type Facts, type Page, type RenderedPage, timeOf } from "./page.ts";
import { alerts } from "./pages/alerts.ts";
import { drills } from "./pages/drills.ts";
import { failover } from "./pages/failover.ts";
import { failures } from "./pages/failures.ts";
import { heatMap } from "./pages/heat-map.ts";
import { nodes } from "./pages/nodes.ts";
import { overview } from "./pages/overview.ts";
import { replication } from "./pages/replication.ts";
import { secrets } from "./pages/secrets.ts";
import { standby } from "./pages/standby.ts";

/** In the order in which they are read. */
const PAGES: readonly Page[] = [
  ...[overview, nodes, replication, standby, failover, failures, alerts, secrets, drills, heatMap],
];

/** The mark by which a file, or a page, is known to be ours. */
const MARK = "Written by `alai runbook`";

/** The titles of all pages. */
export const TITLES: readonly string[] = PAGES.map(({ title }) => title);

/** The runbook. The same facts make the same text. */
export function renderRunbook(facts: Facts): readonly RenderedPage[] {
  return PAGES.map((page) => ({
    title: page.title,
    file: page.file,
    markdown: `${header(page, facts)}\n${page.body(facts).trim()}\n`,
  }));
}

/** A page as a file. */
export function fileText({ title, markdown }: RenderedPage): string {
  return `# ${title}\n\n${markdown}`;
}

/** Whether alai wrote a text, by its first lines. */
export function isOurs(text: string): boolean {
  return text.split("\n", 4).some((line) => line.startsWith(`> ${MARK}`));
}

/** Says what a page was made from: pages without measurements do not change when time goes by. */
function header({ uses }: Page, { manifest, status, drills: [drill] }: Facts): string {
  const state = status ? `the state measured at ${timeOf(status.at)}` : "no measured state: nobody answered";
  const from = [
    `the manifest \`${manifest.hash.slice(0, 12)}\``,
    ...(uses.state ? [state] : []),
    ...(uses.drill ? [drill ? `the drill of ${timeOf(drill.startedAt)}` : "no drill: none is known"] : []),
  ];
  return `> ${MARK} from ${from.join("; ")}. Change the manifest, not this page.\n`;
}
