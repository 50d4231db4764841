import type { Sort } from "@alai/core/query";
import { adopt } from "@alai/core/sqlite/adopt";
import { expect, it } from "vitest";
import { ledgers } from "./folder.ts";
import { makeCompanyLedger, makeTasks, TASKS } from "./foreign.ts";

const me = { actor: "ann", session: "s1" };
const temp = ledgers();

const SORTS: readonly (readonly Sort[])[] = [
  [],
  ...(["urgency", "priority", "due", "created", "status", "project", "title"] as const).flatMap((key) => [
    [{ key, descending: false }],
    [{ key, descending: true }],
  ]),
];

/** Pages of every order, put together, are the whole list. */
async function checkPages(file: string, limit: number): Promise<void> {
  await adopt(temp.path(file), me);
  const ledger = await temp.open(file);
  for (const sort of SORTS) {
    const query = { status: [], sort, fields: ["title"] } as const;
    const whole = (await ledger.list(query)).tasks.map((task) => task.id);
    const found: number[] = [];
    for (let after: string | undefined; ; ) {
      const page = await ledger.list({ ...query, limit, ...(after !== undefined && { after }) });
      found.push(...page.tasks.map((task) => task.id));
      if (page.next === null || found.length > whole.length) break;
      after = page.next;
    }
    expect(found, JSON.stringify(sort)).toEqual(whole);
  }
}

it("pages of an adopted ledger miss nothing: words for priorities, empty titles, times of its own", async () => {
  makeCompanyLedger(temp.path("theirs.db"));
  await checkPages("theirs.db", 1000);
  expect(TASKS).toBeGreaterThan(8000);
});

it("pages go by what any column holds: numbers, bytes, nothing, another collation, times in many forms", async () => {
  makeTasks(
    temp.path("theirs.db"),
    "id INTEGER PRIMARY KEY, title, status TEXT COLLATE NOCASE, project TEXT COLLATE NOCASE, due, created_at INTEGER, priority",
    [
      "1, 10, 'open', 'Web', '2026-05-08', 1700000000, 'high'",
      "2, 9, 'OPEN', 'web', '2026-05-08T12:00:00Z', 1700000001, 1",
      "3, 'nine', 'Doing', 'WEB', 1778241600, 1700000000, 9007199254740993",
      "4, NULL, 'done', NULL, NULL, NULL, NULL",
      "5, 9.5, 'done', '', '', 0, ''",
      "6, x'6162', 'weird', 'api', '2026-05-09 00:00:00.001', 1700000002, 'P1'",
      "7, 9223372036854775807, 'Weird', 'API', 2461169.5, 1700000000, 2.5",
      "8, '10', 'open', 'web', '0', 1, 'bananas'",
    ],
  );
  for (const limit of [1, 3]) await checkPages("theirs.db", limit);
});
