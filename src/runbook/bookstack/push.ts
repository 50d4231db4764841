import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { unifiedDiff } from "../../dr/render/diff.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { privateFolder, writePrivate } from "../../kit/sealed/private-file.ts";
import type { RenderedPage } from "../page.ts";
import type { BookStack, Listed, StoredPage } from "./client.ts";
import { contentOf, hashOf, normal, pushedHash, withHash } from "./content.ts";
import { AsksToWait, PageRefused } from "./failure.ts";

/** What came of one page, or would. */
export interface Pushed {
  readonly page: string;
  /** `edited`: somebody else's words are on it, so it was left alone. `refused`: BookStack did not take it. */
  readonly change: "new" | "changed" | "same" | "edited" | "refused";
  readonly link: string | null;
  /** Of `edited`: from what is there to what would be pushed. */
  readonly diff: string | null;
  /** Where what was overwritten is kept; null: nothing of anybody's was. */
  readonly kept: string | null;
  readonly why: string | null;
}

export interface PushOptions {
  readonly book: string;
  /** Look, and change nothing. */
  readonly dry: boolean;
  /** Titles of pages that are overwritten whatever is on them. */
  readonly force: ReadonlySet<string>;
  /** Where what is overwritten by force is kept. */
  readonly keepIn: string;
  readonly onWait: (wait: Millis) => void;
  readonly onPage: () => void;
  readonly warn: (sentence: string) => void;
}

/** BookStack counts requests by the minute. */
const MOST_WAITS = 5;
const LONGEST_WAIT: Millis = 5 * 60_000;

/**
 * Brings a book to what the pages say, page by page: whatever ends it in between, the next push goes on where it was. Throws Exit
 * where BookStack cannot be asked, does not take the token, or has two books of that name.
 */
export async function push(
  bookStack: BookStack,
  pages: readonly RenderedPage[],
  options: PushOptions,
): Promise<readonly Pushed[]> {
  const patient = <T>(step: () => Promise<T>) => patiently(step, options.onWait);
  const book = await patient(() => findBook(bookStack, options));
  const outcomes: Pushed[] = [];
  for (const [at, page] of pages.entries()) {
    outcomes.push(await patient(() => pushPage(bookStack, book, { page, priority: at + 1 }, options)));
    options.onPage();
  }
  return outcomes;
}

/** @returns null where there is none and none is to be made. */
async function findBook(bookStack: BookStack, { book, dry }: PushOptions): Promise<Listed | null> {
  const [found, ...more] = await bookStack.books(book);
  if (more.length > 0)
    throw new Exit(
      EXIT.refused,
      "two_books",
      `${bookStack.where} has ${more.length + 1} books called ${JSON.stringify(book)}: which one is meant is not known.`,
      "Rename the others, or name another book in the manifest.",
    );
  if (found || dry) return found ?? null;
  return bookStack.createBook(book, "The runbook, written by alai from the manifest and what was measured.");
}

interface Wanted {
  readonly page: RenderedPage;
  readonly priority: number;
}

async function pushPage(
  bookStack: BookStack,
  book: Listed | null,
  wanted: Wanted,
  options: PushOptions,
): Promise<Pushed> {
  const { title } = wanted.page;
  try {
    // Looked for each time: after a wait somebody may have made it.
    const found = (book ? await bookStack.pagesOf(book.id) : []).filter(({ name }) => name === title);
    if (found.length > 1) return outcome(title, "refused", { why: twoPages(bookStack, found) });
    if (!found[0]) return await create(bookStack, book, wanted, options);
    return await compare(bookStack, await bookStack.readPage(found[0]), wanted.page, options);
  } catch (error) {
    if (error instanceof PageRefused) return outcome(title, "refused", { why: error.message });
    throw error;
  }
}

async function create(
  bookStack: BookStack,
  book: Listed | null,
  { page, priority }: Wanted,
  { dry }: PushOptions,
): Promise<Pushed> {
  if (dry || !book) return outcome(page.title, "new");
  const markdown = normal(page.markdown);
  const made = await bookStack.createPage(book.id, page.title, priority, { markdown, tags: withHash([], markdown) });
  return outcome(page.title, "new", { link: bookStack.linkTo(made.id) });
}

async function compare(
  bookStack: BookStack,
  there: StoredPage,
  { title, markdown }: RenderedPage,
  options: PushOptions,
): Promise<Pushed> {
  const [current, wanted] = [contentOf(there), normal(markdown)];
  const link = bookStack.linkTo(there.id);
  const last = pushedHash(there);
  const tags = withHash(there.tags, wanted);
  if (current === wanted) {
    // A push that was cut off between the text and its tags.
    if (last !== hashOf(wanted) && !options.dry) await bookStack.updatePage(there, { tags });
    return outcome(title, "same", { link });
  }
  const isEdited = last !== hashOf(current);
  if (isEdited && !options.force.has(title)) {
    const why = last === null ? "this page was not made by alai" : "it was edited after the last push";
    return outcome(title, "edited", { link, diff: unifiedDiff(title, `${current}\n`, `${wanted}\n`), why });
  }
  if (options.dry) return outcome(title, "changed", { link });
  const kept = isEdited ? keep(there, options.keepIn) : null;
  const now = await bookStack.updatePage(there, { markdown: wanted, tags });
  if (now.revision > there.revision + 1)
    options.warn(`${title}: somebody saved it at the same moment; what they wrote is in its revisions: ${link}`);
  return outcome(title, "changed", { link, kept });
}

/** Before it is overwritten: readable by this user only, for nobody knows what somebody wrote there. */
function keep({ id, revision, markdown, html }: StoredPage, folder: string): string {
  privateFolder(folder);
  const text = markdown === "" ? html : markdown;
  // Another BookStack, or one that was made anew, counts from one again.
  const name = `page-${id}-revision-${revision}-${hashOf(text).slice(0, 8)}`;
  const file = join(folder, `${name}.${markdown === "" ? "html" : "md"}`);
  writePrivate(file, Buffer.from(text));
  return file;
}

function twoPages(bookStack: BookStack, found: readonly Listed[]): string {
  return `the book has ${found.length} pages of that name: ${found.map(({ id }) => bookStack.linkTo(id)).join(" and ")}`;
}

function outcome(page: string, change: Pushed["change"], more: Partial<Pushed> = {}): Pushed {
  return { page, change, link: null, diff: null, kept: null, why: null, ...more };
}

/** The whole step again after a wait: what it had read before may be old. */
async function patiently<T>(step: () => Promise<T>, onWait: (wait: Millis) => void): Promise<T> {
  for (let waits = 1; ; waits++) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof AsksToWait)) throw error;
      if (waits > MOST_WAITS || error.wait > LONGEST_WAIT) throw tooLong(error);
      onWait(error.wait);
      await sleep(error.wait);
    }
  }
}

function tooLong({ wait }: AsksToWait): Exit {
  return new Exit(
    EXIT.unavailable,
    "rate_limited",
    `BookStack takes no more requests for now: it asks to wait ${Math.ceil(wait / 1000)} s.`,
    "Try again later; its administrator sets API_REQUESTS_PER_MIN.",
  );
}
