import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openBookStack } from "../../src/runbook/bookstack/open.ts";
import { type PushOptions, push } from "../../src/runbook/bookstack/push.ts";
import { renderRunbook, TITLES } from "../../src/runbook/render.ts";
import { fakeWorld } from "../client/world.ts";
import { BookStack } from "../doubles/bookstack.ts";
import { facts } from "./facts.ts";

let bookStack: BookStack;
let folder = "";
const waits: number[] = [];
const warned: string[] = [];

beforeEach(async () => {
  bookStack = await BookStack.start();
  folder = mkdtempSync(join(tmpdir(), "alai-push-"));
  waits.length = 0;
  warned.length = 0;
});
afterEach(async () => {
  await bookStack[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function pushed(more: Partial<PushOptions> = {}, pages = renderRunbook(facts()), token = bookStack.token) {
  const { context } = fakeWorld({ BOOKSTACK_TOKEN: token });
  const client = await openBookStack(context, { url: bookStack.url, book: "Recovery", secret: "BOOKSTACK_TOKEN" });
  const options: PushOptions = {
    ...{ book: "Recovery", dry: false, force: new Set(), keepIn: join(folder, "kept"), onPage: () => {} },
    ...{ onWait: (wait) => waits.push(wait), warn: (sentence) => warned.push(sentence), ...more },
  };
  try {
    return await push(client, pages, options);
  } finally {
    await context.closeAll();
  }
}

const changes = (outcomes: Awaited<ReturnType<typeof pushed>>) =>
  Object.fromEntries([...Map.groupBy(outcomes, ({ change }) => change)].map(([change, of]) => [change, of.length]));

describe("pages that nobody else has touched", () => {
  test("the book and its pages are made, in order; the second push changes nothing", async () => {
    expect(changes(await pushed())).toEqual({ new: 10 });
    expect(bookStack.books).toEqual([{ id: expect.any(Number), name: "Recovery" }]);
    expect(bookStack.pages.map(({ name, priority }) => [name, priority])).toEqual(
      TITLES.map((title, at) => [title, at + 1]),
    );
    const { markdown, tags } = bookStack.page("Alerts");
    expect(markdown).toMatch(/^> Written by `alai runbook`/);
    expect(tags).toEqual([{ name: "alai-runbook", value: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    bookStack.asked.length = 0;
    const second = await pushed();
    expect(changes(second)).toEqual({ same: 10 });
    expect(bookStack.writes).toEqual([]);
    expect(second[0]?.link).toBe(`${bookStack.url}/link/${bookStack.page("Overview").id}`);
  });

  test("only what changed is pushed, and tags that people gave stay", async () => {
    await pushed();
    bookStack.page("Overview").tags = [{ name: "team", value: "ops" }, ...bookStack.page("Overview").tags];
    bookStack.asked.length = 0;
    const outcomes = await pushed({}, renderRunbook(facts({ status: null })));
    expect(changes(outcomes)).toEqual({ same: 5, changed: 5 });
    expect(bookStack.writes).toHaveLength(5);
    expect(bookStack.page("Overview").tags.map(({ name }) => name)).toEqual(["team", "alai-runbook"]);
    expect(bookStack.page("Overview").markdown).toContain("Neither a host nor storage answered");
    expect(changes(await pushed({}, renderRunbook(facts({ status: null }))))).toEqual({ same: 10 });
  });

  test("a dry run changes nothing, and makes no book", async () => {
    expect(changes(await pushed({ dry: true }))).toEqual({ new: 10 });
    await pushed();
    expect(changes(await pushed({ dry: true }, renderRunbook(facts({ status: null }))))).toEqual({
      same: 5,
      changed: 5,
    });
    expect(bookStack.writes).toHaveLength(11);
  });

  test("listings that come in pieces are read to their end; a name in other capitals is another name", async () => {
    bookStack.books.push({ id: 9001, name: "RECOVERY" });
    bookStack.most = 3;
    await pushed();
    expect(bookStack.books.map(({ name }) => name)).toEqual(["RECOVERY", "Recovery"]);
    expect(changes(await pushed())).toEqual({ same: 10 });
    expect(bookStack.pages).toHaveLength(10);
  });
});

describe("a page that somebody edited", () => {
  const EDITED = "Alerts";
  const edit = () => bookStack.edit(EDITED, (text) => text.replace("## Channels", "Call Ann first.\n\n## Channels"));
  const others = () => renderRunbook(facts({ status: null }));

  test("is shown and left alone, while the others are pushed", async () => {
    await pushed();
    edit();
    const before = bookStack.page(EDITED).markdown;
    const outcomes = await pushed({}, others());
    expect(changes(outcomes)).toEqual({ same: 4, changed: 5, edited: 1 });
    const found = outcomes.find(({ page }) => page === EDITED);
    expect(found?.why).toBe("it was edited after the last push");
    // Lines that only the browser ended otherwise are no difference.
    expect(found?.diff?.split("\n").filter((line) => /^[-+]/.test(line))).toEqual([
      ...["--- a/Alerts", "+++ b/Alerts", "-Call Ann first.", "-"],
    ]);
    expect(bookStack.page(EDITED).markdown).toBe(before);
  });

  test("by force it is overwritten, and what was there is kept for this user alone", async () => {
    await pushed();
    edit();
    const [mine] = (await pushed({ force: new Set([EDITED]) })).filter(({ page }) => page === EDITED);
    expect(mine).toMatchObject({ change: "changed", diff: null });
    expect(readFileSync(mine?.kept ?? "", "utf8")).toContain("Call Ann first.");
    expect(statSync(mine?.kept ?? "").mode & 0o777).toBe(0o600);
    expect(bookStack.page(EDITED).markdown).not.toContain("Call Ann first.");
    expect(changes(await pushed())).toEqual({ same: 10 });
    expect(readdirSync(join(folder, "kept"))).toHaveLength(1);
  });

  test("in the visual editor its Markdown is gone: its HTML is shown and kept", async () => {
    await pushed();
    bookStack.editVisually(EDITED, "<h2>Alerts</h2><p>Call Ann first.</p>");
    const found = (await pushed()).find(({ page }) => page === EDITED);
    expect(found?.diff).toContain("-<h2>Alerts</h2>\n-<p>Call Ann first.</p>\n+> Written by");
    const forced = (await pushed({ force: new Set([EDITED]) })).find(({ page }) => page === EDITED);
    expect(readFileSync(forced?.kept ?? "", "utf8")).toBe("<h2>Alerts</h2><p>Call Ann first.</p>");
  });

  test("a page of that name that alai never wrote is somebody's", async () => {
    await pushed({}, renderRunbook(facts()).slice(0, 1));
    const book_id = bookStack.books[0]?.id ?? 0;
    const theirs = { id: 777, book_id, name: "Secrets", markdown: "ask Bob", html: "", tags: [], draft: false };
    bookStack.pages.push({ ...theirs, revision_count: 1, priority: 9 });
    const found = (await pushed()).find(({ page }) => page === "Secrets");
    expect(found).toMatchObject({ change: "edited", why: "this page was not made by alai" });
    expect(bookStack.page("Secrets").markdown).toBe("ask Bob");
  });

  test("back to what alai would write, it is nobody's again", async () => {
    await pushed();
    const before = bookStack.page(EDITED).markdown;
    edit();
    bookStack.edit(EDITED, () => before);
    expect(changes(await pushed())).toEqual({ same: 10 });
  });

  test("somebody who saves between our look and our write is told of", async () => {
    await pushed();
    let done = false;
    bookStack.onAnswer = (asked) => {
      const { id } = bookStack.page("Overview");
      if (asked === `GET /api/pages/${id}` && !done) {
        done = true;
        bookStack.edit("Overview", (text) => `${text}\n\nmine`);
      }
      return "answer";
    };
    await pushed({}, others());
    expect(warned).toEqual([
      expect.stringContaining("Overview: somebody saved it at the same moment; what they wrote is in its revisions"),
    ]);
  });
});

describe("BookStack says no", () => {
  const refusal = async (more: Partial<PushOptions> = {}, token?: string) =>
    pushed(more, undefined, token).then(
      () => ({ exit: 0, message: "" }),
      (error: { exit: number; message: string }) => error,
    );

  test("the token: missing, odd, wrong, expired, without the right; its value is never said", async () => {
    const [id = "", secret = ""] = bookStack.token.split(":");
    for (const [token, words] of [
      ["", "The environment variable BOOKSTACK_TOKEN"],
      [secret, "What BOOKSTACK_TOKEN holds is not a token of BookStack's."],
      [`nobody:${secret}`, "does not take the token in BOOKSTACK_TOKEN: No matching API token was found"],
      [`${id}:nothing`, "does not take the token in BOOKSTACK_TOKEN: The secret provided"],
    ] as const) {
      const { exit, message } = await refusal({}, token);
      expect([exit, message]).toEqual([4, expect.stringContaining(words)]);
      expect(message).not.toContain(secret);
    }
    bookStack.expired = true;
    expect(await refusal()).toMatchObject({
      exit: 4,
      message: expect.stringContaining("The authorization token used has expired"),
    });
    bookStack.expired = false;
    bookStack.mayCallApi = false;
    expect(await refusal()).toMatchObject({
      exit: 4,
      message: expect.stringContaining("does not have permission to make API calls"),
    });
    bookStack.mayCallApi = true;
    bookStack.forbidden.add("book-create");
    expect(await refusal()).toMatchObject({
      exit: 4,
      message: expect.stringContaining("to make the book Recovery: You do not have permission"),
    });
    expect(bookStack.books).toEqual([]);
  });

  test("429: it waits as long as it is asked to, looks again, and goes on", async () => {
    let at = 0;
    bookStack.onAnswer = () => {
      if (++at === 9) bookStack.exhaust(1);
      return "answer";
    };
    expect(changes(await pushed())).toEqual({ new: 10 });
    expect(new Set(waits)).toEqual(new Set([1000]));
    expect(bookStack.pages).toHaveLength(10);
    bookStack.exhaust(3600);
    expect(await refusal()).toMatchObject({ exit: 69, message: expect.stringContaining("it asks to wait 3600 s") });
  });

  test("a page that it refuses for itself is said, and the others go through", async () => {
    const [first, ...more] = renderRunbook(facts());
    const long = { title: "x".repeat(256), file: "x.md", markdown: "y" };
    const outcomes = await pushed({}, [...(first ? [first] : []), long, ...more]);
    expect(changes(outcomes)).toEqual({ new: 10, refused: 1 });
    expect(outcomes[1]?.why).toContain("The given data was invalid. The name may not be greater than 255 characters");
  });

  test("two books, or two pages, of one name: which one is meant is not guessed", async () => {
    await pushed();
    bookStack.pages.push({ ...bookStack.page("Alerts"), id: 555 });
    const found = (await pushed()).find(({ page }) => page === "Alerts");
    expect(found).toMatchObject({ change: "refused", why: expect.stringContaining("/link/555") });
    bookStack.books.push({ id: 556, name: "Recovery" });
    expect(await refusal()).toMatchObject({ exit: 1, message: expect.stringContaining("has 2 books called") });
  });

  test("a connection that breaks after a page was made: the next push finds it there", async () => {
    let writes = 0;
    bookStack.onAnswer = (asked) => (asked === "POST /api/pages" && ++writes === 3 ? "cut" : "answer");
    const { exit, message } = await refusal();
    expect([exit, message]).toEqual([
      69,
      expect.stringContaining("Whether it was done is not known; the next push finds out."),
    ]);
    expect(bookStack.pages).toHaveLength(3);
    expect(changes(await pushed())).toEqual({ same: 3, new: 7 });
    expect(new Set(bookStack.pages.map(({ name }) => name)).size).toBe(10);
  });

  test("text that was taken without its tags is not somebody's edit", async () => {
    await pushed();
    bookStack.page("Alerts").tags = [];
    expect(changes(await pushed())).toEqual({ same: 10 });
    expect(bookStack.page("Alerts").tags).toHaveLength(1);
  });
});
