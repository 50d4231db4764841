import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "./harness.ts";

/** As `task export` writes it: an array whose lines end in commas. */
const TASKWARRIOR = `[
{"id":1,"description":"Buy milk","entry":"20260101T093000Z","priority":"H","project":"home","status":"pending","tags":["shop","soon"],"uuid":"0b5e1f6a-0000-4000-8000-000000000001","due":"20260301T120000Z","annotations":[{"entry":"20260102T000000Z","description":"skimmed"}],"urgency":9.1},
{"id":0,"description":"Old one","end":"20260105T000000Z","entry":"20260101T093000Z","status":"completed","uuid":"0b5e1f6a-0000-4000-8000-000000000002","urgency":0},
{"id":0,"description":"Gone","entry":"20260101T093000Z","status":"deleted","uuid":"0b5e1f6a-0000-4000-8000-000000000003","urgency":0}
]
`;

const GITHUB = JSON.stringify([
  {
    number: 7,
    title: "Crash on start",
    body: "It crashes.\nAlways.",
    state: "OPEN",
    labels: [{ name: "bug" }, { name: "good first issue" }],
    assignees: [{ login: "octo" }],
    createdAt: "2026-01-01T00:00:00Z",
    closedAt: null,
    url: "https://github.com/o/r/issues/7",
  },
  {
    number: 8,
    title: "Fixed",
    body: "",
    state: "CLOSED",
    labels: [],
    assignees: [],
    createdAt: "2026-01-01T00:00:00Z",
    closedAt: "2026-01-09T10:00:00Z",
    url: "https://github.com/o/r/issues/8",
  },
]);

describe.each(BUILDS)("$name: import and export", (build) => {
  test("taskwarrior's export, once and again", async () => {
    using place = new Place(build);
    expect(await place.ok("mc import", { input: TASKWARRIOR })).toBe("3\t0");
    expect(await place.ok("mc import -", { input: TASKWARRIOR })).toBe("0\t3");
    const [milk, old, gone] = await place.json<object[]>("mc list --all --sort id");
    expect(milk).toMatchObject({
      title: "Buy milk",
      priority: 1,
      project: "home",
      status: "open",
      tags: ["shop", "soon"],
      due: "2026-03-01T12:00:00.000Z",
      created_at: "2026-01-01T09:30:00.000Z",
    });
    expect(old).toMatchObject({ status: "done", done_at: "2026-01-05T00:00:00.000Z" });
    expect(gone).toMatchObject({ status: "cancelled" });
    const { history } = await place.json<{ history: { kind: string; data: { text?: string } }[] }>("mc show 1");
    expect(history.find((event) => event.kind === "noted")?.data.text).toBe("skimmed");
  });

  test("the issues of `gh issue list --json`, once and again", async () => {
    using place = new Place(build);
    writeFileSync(place.file("issues.json"), GITHUB);
    expect(await place.json("mc import issues.json")).toMatchObject({ added: 2, existing: 0 });
    expect(await place.json("mc import issues.json")).toMatchObject({ added: 0, existing: 2 });
    const [crash, fixed] = await place.json<object[]>("mc list --all --sort id");
    expect(crash).toMatchObject({
      title: "Crash on start",
      description: "It crashes.\nAlways.",
      tags: ["bug", "good-first-issue"],
      owner: "octo",
    });
    expect(fixed).toMatchObject({ title: "Fixed", status: "done", done_at: "2026-01-09T10:00:00.000Z" });
  });

  test("our own lines: only a title is required, ids are kept where they are free", async () => {
    using place = new Place(build);
    await place.add("here already");
    const lines = [
      '{"title":"bare"}',
      '{"id":1,"title":"taken id"}',
      '{"id":40,"title":"child","parent":1,"blocked_by":[1]}',
    ];
    const result = await place.json<{ renumbered: Record<string, number> }>("mc import", { input: lines.join("\n") });
    expect(result).toMatchObject({ added: 3, existing: 0 });
    const renumbered = result.renumbered["1"];
    expect(renumbered).toBeGreaterThan(1);
    expect(await place.json("mc show 40")).toMatchObject({ parent: renumbered, blocked_by: [renumbered] });
    expect(await place.json("mc show 1")).toMatchObject({ title: "here already" });
  });

  test("all or nothing: the error names the line", async () => {
    using place = new Place(build);
    await place.add("a");
    const before = place.fingerprint();
    for (const [input, where] of [
      ['{"title":"ok"}\nnot json\n', /line 2 is not JSON/i],
      ['{"title":"ok"}\n{"title":""}\n', /line 2 has no title/i],
      ['{"title":"ok"}\n{"title":"x","due":"someday"}\n', /line 2: due is not/i],
      ['[{"title":"ok"},5]', /item 2 is not/i],
      ['{"title":"ok"}\n{"title":"x","status":"whatever"}', /line 2: status is not/i],
    ] as const) {
      const { code, stderr } = await place.run("mc import", { input });
      expect([code, stderr]).toEqual([64, expect.stringMatching(where)]);
    }
    expect(place.fingerprint()).toBe(before);
  });

  test("export | import gives the same tasks on another ledger", async () => {
    using place = new Place(build);
    await place.ok([
      "mc",
      "add",
      'Größe, "quotes" and 🚀',
      "-d",
      "line\nline\ttab",
      "-t",
      "a,b",
      "--due",
      "2030-01-01",
      "-p",
      "0",
    ]);
    await place.ok("mc add child --parent 1 --project p --owner o --dedup-key k");
    await place.ok("mc dep add 2 1");
    await place.ok(["mc", "note", "1", "remember"]);
    writeFileSync(place.file("proof"), "proof");
    await place.add("third");
    await place.ok("mc done 3 -e proof");
    const exported = await place.ok("mc export");
    expect(exported.split("\n")).toHaveLength(3);
    await place.ok("mc import --db copy.db", { input: exported });
    const again = await place.ok("mc export --db copy.db");
    const plain = (text: string) =>
      text.split("\n").map((line) => {
        const { updated_at: _, version: __, ...task } = JSON.parse(line) as Record<string, unknown>;
        return task;
      });
    expect(plain(again)).toEqual(plain(exported));
    expect(await place.ok("mc import --db copy.db", { input: exported })).toBe("0\t3");
  });

  test("export --output makes a new file and never overwrites one", async () => {
    using place = new Place(build);
    await place.add("a");
    await place.ok("mc export --output out.jsonl");
    const first = readFileSync(place.file("out.jsonl"), "utf8");
    expect(JSON.parse(first)).toMatchObject({ id: 1, title: "a" });
    await place.add("b");
    expect((await place.run("mc export --output out.jsonl")).code).toBe(64);
    expect(readFileSync(place.file("out.jsonl"), "utf8")).toBe(first);
  });
});
