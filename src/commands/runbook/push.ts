import { join } from "node:path";
import type { RunbookSpec } from "../../dr/manifest/model.ts";
import { startBar } from "../../kit/bar.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { withLock } from "../../kit/lock.ts";
import { printRows, type View } from "../../kit/output.ts";
import { withSpinner } from "../../kit/progress.ts";
import { multiLine, oneLine, truncate } from "../../kit/text.ts";
import type { Pushed } from "../../runbook/bookstack/push.ts";
import type { RenderedPage } from "../../runbook/page.ts";
import { MANIFEST_FLAG } from "../dr/flags.ts";

export const command = defineCommand({
  summary: "bring the runbook to BookStack, and leave people's edits alone",
  description: `Renders as alai runbook render does, and pushes pages that changed into the book that the manifest names; the book is made
where there is none. A page that somebody edited after the last push is not touched: what a push would change is shown on stderr,
the other pages are pushed, and the exit code is 1. --force "Page" overwrites it; what was there is kept as a file first.
The token is TOKEN_ID:TOKEN_SECRET, in the environment variable or bw:// reference that the manifest names: docs/runbook.md.
Lines (not on a terminal): state, page, link, file that keeps what was overwritten, why.`,
  examples: [
    ["alai runbook push --dry-run", "what would be pushed, and whose edits are in the way"],
    ["alai runbook push", "push what changed"],
    ['alai runbook push --force "Node inventory"', "over somebody's edit, which is kept as a file"],
  ],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    dryRun: { summary: "look, and change nothing" },
    force: { value: "PAGE", summary: "overwrite this page; may be given again", repeated: true },
  },
  fields: {
    page: "its title",
    state: "new, changed, same, edited (left alone), or refused by BookStack",
    link: "where it is, or null",
    diff: "of an edited page: from what is there to what would be pushed",
    kept: "the file that has what was overwritten by --force, or null",
    why: "why it was left alone or refused, or null",
  },
  async run(context, { flags }) {
    const [{ readManifest }, { takeFacts }, { renderRunbook, TITLES }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../runbook/facts.ts"),
      import("../../runbook/render.ts"),
    ]);
    const force = new Set((flags.force ?? []).map((title) => requireTitle(title, TITLES)));
    const manifest = readManifest(context, flags.manifest);
    const { runbook, file } = manifest;
    if (!runbook)
      throw new Exit(
        EXIT.notFound,
        "no_runbook",
        `The manifest ${file} does not say where the runbook is published.`,
        "Add `runbook: { url: …, book: …, secret: … }` to it.",
      );
    const facts = await withSpinner(context, "asking hosts and storage…", () => takeFacts(context, manifest));
    if (!facts.status) context.warn("neither a host nor storage answered: nothing measured is in it");
    const folder = join(context.paths.data, "runbook");
    const pushed = await withLock(folder, "push", () =>
      pushAll(context, runbook, renderRunbook(facts), {
        dry: flags.dryRun === true,
        force,
        keepIn: join(folder, "kept"),
      }),
    );
    await show(context, pushed);
    return pushed.some(({ change }) => change === "edited" || change === "refused") ? EXIT.refused : EXIT.ok;
  },
});

function requireTitle(title: string, titles: readonly string[]): string {
  if (titles.includes(title)) return title;
  throw usage(`There is no page "${truncate(oneLine(title), 40)}".`, `Pages are: ${titles.join(", ")}.`);
}

async function pushAll(
  context: Context,
  spec: RunbookSpec,
  pages: readonly RenderedPage[],
  options: { readonly dry: boolean; readonly force: ReadonlySet<string>; readonly keepIn: string },
): Promise<readonly Pushed[]> {
  const [{ openBookStack }, { push }] = await Promise.all([
    import("../../runbook/bookstack/open.ts"),
    import("../../runbook/bookstack/push.ts"),
  ]);
  const bookStack = await openBookStack(context, spec);
  const bar = startBar(context, options.dry ? "looking" : "pushing", pages.length, "pages");
  let done = 0;
  return push(bookStack, pages, {
    ...{ ...options, book: spec.book },
    onPage: () => bar.step(++done),
    onWait: (wait) => {
      if (!context.flags.quiet) context.warn(`BookStack asks to wait ${Math.ceil(wait / 1000)} s`);
    },
    warn: (sentence) => context.warn(sentence),
  }).finally(() => bar.end());
}

const COLOURS = { new: "good", changed: "good", same: "dim", edited: "warn", refused: "bad" } as const;

const VIEW: View<Pushed> = {
  columns: [
    { header: "STATE", value: ({ change }) => change, show: ({ change }, style) => style[COLOURS[change]](change) },
    { header: "PAGE", value: ({ page }) => page },
    { header: "LINK", value: ({ link }) => link ?? "" },
    { header: "KEPT IN", value: ({ kept }) => kept ?? "", optional: true },
    { header: "WHY", value: ({ why }) => why ?? "", optional: true, flexible: true, wraps: true },
  ],
  json: ({ page, change, link, diff, kept, why }) => ({ page, state: change, link, diff, kept, why }),
};

/** What people wrote is shown first: it is what has to be decided about. */
async function show(context: Context, pushed: readonly Pushed[]): Promise<void> {
  if (!context.flags.json)
    for (const { page, diff } of pushed) {
      if (diff === null) continue;
      context.warn(`${page} was edited in BookStack, so it was left alone. Lines with a minus are there and would go:`);
      context.io.err(multiLine(diff));
    }
  await printRows<Pushed>(context, pushed, VIEW);
}
