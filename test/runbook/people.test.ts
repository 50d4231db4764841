import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openBookStack } from "../../src/runbook/bookstack/open.ts";
import { type PushOptions, push } from "../../src/runbook/bookstack/push.ts";
import { renderRunbook } from "../../src/runbook/render.ts";
import { fakeWorld } from "../client/world.ts";
import { BookStack, type Page } from "../doubles/bookstack.ts";
import { facts } from "./facts.ts";

/** What people do to the pages between two pushes, and during one: nothing that they wrote is lost, and nothing is made twice. */

let bookStack: BookStack;
let folder = "";

beforeEach(async () => {
  bookStack = await BookStack.start();
  folder = mkdtempSync(join(tmpdir(), "alai-push-"));
});
afterEach(async () => {
  await bookStack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const NOW = () => renderRunbook(facts());
/** Half of the pages say something else then. */
const LATER = () => renderRunbook(facts({ status: null }));

/** @returns how each page fared, and how many of each. */
async function pushed(pages = NOW(), more: Partial<PushOptions> = {}) {
  const { context } = fakeWorld({ BOOKSTACK_TOKEN: bookStack.token });
  const client = await openBookStack(context, { url: bookStack.url, book: "Recovery", secret: "BOOKSTACK_TOKEN" });
  const options: PushOptions = {
    ...{ book: "Recovery", dry: false, force: new Set(), keepIn: join(folder, "kept"), onPage: () => {} },
    ...{ onWait: () => {}, warn: () => {}, ...more },
  };
  try {
    const found = await push(client, pages, options);
    const of = Object.fromEntries(found.map(({ page, change }) => [page, change]));
    const counts = Object.fromEntries(
      [...Map.groupBy(found, ({ change }) => change)].map(([one, all]) => [one, all.length]),
    );
    return { of, counts, found };
  } finally {
    await context.closeAll();
  }
}

const copyOf = (page: Page) => structuredClone(page);

test.each<[string, (page: Page) => void]>([
  ["renamed", (page) => Object.assign(page, { name: "Our alerts" })],
  ["moved to another book", (page) => Object.assign(page, { book_id: 9000 })],
])("a page that was edited and %s stays as it is, and is made anew in its place", async (_, change) => {
  await pushed();
  bookStack.edit("Alerts", (text) => `${text}\n\nCall Ann first.`);
  const page = bookStack.page("Alerts");
  change(page);
  const before = copyOf(page);
  expect((await pushed(LATER())).counts).toEqual({ same: 4, changed: 5, new: 1 });
  expect(page).toEqual(before);
  expect(bookStack.pages).toHaveLength(11);
  expect((await pushed(LATER())).counts).toEqual({ same: 10 });
  // Back where it was: which of the two is meant is not guessed.
  Object.assign(page, { name: "Alerts", book_id: bookStack.page("Overview").book_id });
  const both = await pushed(NOW());
  expect(both.counts).toEqual({ same: 4, changed: 5, refused: 1 });
  expect(page.markdown).toContain("Call Ann first.");
});

test("a page that was deleted is made anew; the others are left alone", async () => {
  await pushed();
  bookStack.pages.splice(bookStack.pages.indexOf(bookStack.page("Alerts")), 1);
  bookStack.asked.length = 0;
  expect((await pushed()).of.Alerts).toBe("new");
  expect(bookStack.writes).toEqual(["POST /api/pages"]);
});

test("a page that is deleted between the look and the write is said, the others go through, and the next push makes it", async () => {
  await pushed();
  const { id } = bookStack.page("Overview");
  bookStack.onAnswer = (asked) => {
    if (asked === `GET /api/pages/${id}`)
      bookStack.pages.splice(bookStack.pages.indexOf(bookStack.page("Overview")), 1);
    return "answer";
  };
  const { of, counts } = await pushed(LATER());
  expect([of.Overview, counts]).toEqual(["refused", { same: 5, changed: 4, refused: 1 }]);
  bookStack.onAnswer = () => "answer";
  expect((await pushed(LATER())).counts).toEqual({ same: 9, new: 1 });
});

test("a book that somebody makes under the same name during a push changes nothing; the next push asks which is meant", async () => {
  let made = false;
  bookStack.onAnswer = (asked) => {
    if (asked === "POST /api/pages" && !made) made = bookStack.books.push({ id: 9001, name: "Recovery" }) > 0;
    return "answer";
  };
  expect((await pushed()).counts).toEqual({ new: 10 });
  expect(new Set(bookStack.pages.map(({ book_id }) => book_id)).size).toBe(1);
  await expect(pushed()).rejects.toMatchObject({ exit: 1, code: "two_books" });
});

test("a page that is deleted while the pages are listed hides no other: nothing is made twice", async () => {
  await pushed();
  const mine: Page = { ...copyOf(bookStack.page("Overview")), id: 0, name: "Notes", markdown: "mine", tags: [] };
  bookStack.pages.unshift(mine);
  bookStack.most = 3;
  let listed = 0;
  // Four pieces a listing: this is the first of the third, which looks for the page that is not where it was any more.
  bookStack.onAnswer = (asked) => {
    if (asked === "GET /api/pages" && ++listed === 9) bookStack.pages.splice(bookStack.pages.indexOf(mine), 1);
    return "answer";
  };
  expect((await pushed()).counts).toEqual({ same: 10 });
  expect(bookStack.pages).toHaveLength(10);
});

test("what is overwritten by force is kept, also where a BookStack that was made anew counts from one again", async () => {
  const force = new Set(["Alerts"]);
  const edits = ["Call Ann first.", "Call Bob first."];
  for (const words of edits) {
    bookStack.books.length = 0;
    bookStack.pages.length = 0;
    await pushed();
    bookStack.edit("Alerts", (text) => `${text}\n\n${words}`);
    Object.assign(bookStack.page("Alerts"), { id: 77 });
    expect((await pushed(NOW(), { force })).of.Alerts).toBe("changed");
  }
  const kept = readdirSync(join(folder, "kept")).map((name) => readFileSync(join(folder, "kept", name), "utf8"));
  for (const words of edits) expect(kept.filter((text) => text.includes(words))).toHaveLength(1);
});

test("asked to wait before every second write: each page is there once, and a human's edit meanwhile is seen", async () => {
  await pushed();
  const waits: number[] = [];
  let writes = 0;
  bookStack.onAnswer = (asked) => {
    if (asked.startsWith("PUT") && ++writes === 2) {
      bookStack.exhaust(1);
      bookStack.edit("Drill schedule", () => "mine");
    }
    return "answer";
  };
  const { of } = await pushed(LATER(), { onWait: (wait) => waits.push(wait) });
  expect(waits).toEqual([1000]);
  expect(of["Drill schedule"]).toBe("edited");
  expect(bookStack.page("Drill schedule").markdown).toBe("mine");
  expect(bookStack.pages).toHaveLength(10);
});
