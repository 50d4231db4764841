import { describe, expect, test } from "vitest";
import { BOB, BUILDS, Place } from "./harness.ts";

interface Task {
  readonly id: number;
  readonly title: string;
  readonly [field: string]: unknown;
}

describe.each(BUILDS)("$name: add", (build) => {
  test("prints the id, and keeps all that was said of the task", async () => {
    using place = new Place(build);
    expect((await place.run(["mc", "add", "Parent"])).stdout).toBe("1\n");
    await place.add("Blocker");
    const words = ["Rotate the API keys", "-p", "1", "--project", "infra", "--owner", "joe", "--tag", "security,keys"];
    const more = [
      "-t",
      "late",
      "--parent",
      "1",
      "--blocked-by",
      "2",
      "--due",
      "2030-12-01",
      "--defer",
      "2030-11-01T08:30Z",
    ];
    const added = await place.json<Task>(["mc", "add", ...words, ...more, "-d", "both\nof them", "--dedup-key", "k1"]);
    expect(added).toMatchObject({
      id: 3,
      title: "Rotate the API keys",
      description: "both\nof them",
      status: "open",
      priority: 1,
      project: "infra",
      owner: "joe",
      tags: ["security", "keys", "late"],
      parent: 1,
      blocked_by: [2],
      due: "2030-12-01T00:00:00.000Z",
      deferred_until: "2030-11-01T08:30:00.000Z",
      dedup_key: "k1",
      version: 1,
      lease_state: "free",
      existing: false,
    });
    const [shown] = [await place.json<Task & { history: { kind: string; actor: string }[] }>("mc show 3")];
    expect(shown.history).toMatchObject([{ kind: "added", actor: "ann", session: "s1" }]);
    expect(await place.json("mc show 1")).toMatchObject({ children: [3] });
    expect(await place.json("mc show 2")).toMatchObject({ blocks: [3] });
  });

  test("reads title and description from standard input", async () => {
    using place = new Place(build);
    await place.ok("mc add", { input: "The title\r\n\r\nline one\r\nline two\r\n" });
    expect(await place.json("mc show 1")).toMatchObject({ title: "The title", description: "line one\nline two" });
    await place.ok("mc add -", { input: "Only a title\n" });
    expect(await place.json("mc show 2")).toMatchObject({ title: "Only a title", description: null });
    await place.ok(["mc", "add", "Title as argument", "-d", "-"], { input: "the rest\nof it" });
    expect(await place.json("mc show 3")).toMatchObject({ title: "Title as argument", description: "the rest\nof it" });
  });

  test("gives the existing task for a dedup key that is there", async () => {
    using place = new Place(build);
    await place.ok(["mc", "add", "Disk full", "--dedup-key", "disk"]);
    const again = await place.json(["mc", "add", "Disk is full again", "--dedup-key", "disk"]);
    expect(again).toMatchObject({ id: 1, title: "Disk full", existing: true });
    expect(await place.json("mc list --all")).toHaveLength(1);
  });
});

/** Tasks whose differences every filter can see. */
async function makeList(place: Place): Promise<void> {
  await place.ok("mc add Alpha -p 3 --project infra --owner joe -t red,blue --due 2030-01-02");
  await place.ok([
    "mc",
    "add",
    "Beta",
    "-p",
    "0",
    "--project",
    "web",
    "--owner",
    "ann",
    "-t",
    "red",
    "-d",
    "says NEEDLE",
  ]);
  await place.ok("mc add Gamma -p 1 --project infra --parent 1 --due 2030-01-01");
  await place.ok("mc add Delta --blocked-by 1");
  await place.ok("mc add Epsilon");
  await place.ok("mc add Zeta");
  await place.ok("mc done 5");
  await place.ok("mc pause 6");
  await place.ok("mc claim 1");
  await place.ok("mc claim 2", { env: BOB });
  await place.ok("mc claim 3", { env: BOB });
  place.sql("UPDATE tasks SET lease_until = '2020-01-01 00:00:00.000' WHERE id = 3");
}

const FILTERS: readonly (readonly [flags: string, ids: number[]])[] = [
  ["", [2, 3, 4, 1]],
  ["--all", [2, 3, 4, 5, 6, 1]],
  ["--status done", [5]],
  ["--status done,paused", [5, 6]],
  ["-s open -s paused", [2, 3, 4, 6, 1]],
  ["--project infra", [3, 1]],
  ["--project infra,web", [2, 3, 1]],
  ["--owner joe", [1]],
  ["--tag red", [2, 1]],
  ["--tag red --tag blue", [1]],
  ["--priority 0,1", [2, 3]],
  ["-p high", [3]],
  ["--text needle", [2]],
  ["--text ETA", [2]],
  ["--parent 1", [3]],
  ["--mine", [1]],
  ["--held", [2, 1]],
  ["--free", [3, 4]],
  ["--expired", [3]],
  ["--blocked", [4]],
  ["--due-before 2030-01-02", [3]],
  ["--due-before 2030-01-03", [3, 1]],
  ["--project infra --free", [3]],
  ["--all --sort id", [1, 2, 3, 4, 5, 6]],
  ["--all --sort -id", [6, 5, 4, 3, 2, 1]],
  ["--all --sort title", [1, 2, 4, 5, 3, 6]],
  ["--sort priority,-id", [2, 3, 4, 1]],
  ["--project infra --sort due", [3, 1]],
  ["--sort urgency", [2, 3, 4, 1]],
];

describe.each(BUILDS)("$name: list", (build) => {
  test("every filter and every order", async () => {
    using place = new Place(build);
    await makeList(place);
    for (const [flags, ids] of FILTERS) {
      const words = ["mc", "list", ...flags.split(" ").filter(Boolean), "--json=id"];
      const found = JSON.parse(await place.ok(words)) as Task[];
      expect([flags, found.map((task) => task.id)]).toEqual([flags, ids]);
    }
  });

  test("every sort key there is orders, and its opposite turns it round", async () => {
    using place = new Place(build);
    await makeList(place);
    for (const key of ["created", "updated", "status", "project", "title", "id"]) {
      const ids = async (sort: string) =>
        (
          JSON.parse(
            await place.ok(
              `mc list --all --sort ${sort},id --json=id,${key === "created" || key === "updated" ? `${key}_at` : key}`,
            ),
          ) as Task[]
        ).map((task) => task[key === "created" || key === "updated" ? `${key}_at` : key] as string | number | null);
      const up = (await ids(key)).filter((value) => value !== null);
      const down = (await ids(`-${key}`)).filter((value) => value !== null);
      if (key !== "status") expect([key, up]).toEqual([key, [...up].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))]);
      expect([key, down]).toEqual([key, [...up].reverse()]);
    }
  });

  test("a limit says that it cut, and only then", async () => {
    using place = new Place(build);
    await place.add("a", "b", "c");
    const cut = await place.run("mc list --limit 2");
    expect(cut.stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(cut.stderr).toBe("Only the first 2 are shown; --limit 0 shows all.\n");
    for (const limit of ["3", "0", "4"]) {
      const whole = await place.run(`mc list --limit ${limit}`);
      expect(whole.stdout.trimEnd().split("\n")).toHaveLength(3);
      expect(whole.stderr).toBe("");
    }
    const json = await place.run("mc list --limit 1 --json");
    expect(JSON.parse(json.stdout)).toHaveLength(1);
    expect(json.stderr).toContain("Only the first 1");
  });

  test("shows the words of a line in the documented order", async () => {
    using place = new Place(build);
    await makeList(place);
    const lines = (await place.ok("mc list --sort id")).split("\n");
    const until = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
    const [id, status, priority, title, project, owner, tags, due, holder, end] = lines[0]?.split("\t") ?? [];
    expect([id, status, priority, title, project, owner, tags]).toEqual([
      "1",
      "open",
      "3",
      "Alpha",
      "infra",
      "joe",
      "red,blue",
    ]);
    expect([due, holder]).toEqual(["2030-01-02T00:00:00.000Z", "ann:s1"]);
    expect(end).toMatch(until);
    // A lease that ran out holds nothing.
    expect(lines[2]?.split("\t").slice(8)).toEqual(["", ""]);
  });

  test("contradicting flags are refused", async () => {
    using place = new Place(build);
    await place.add("a");
    for (const flags of ["--all --status open", "--held --free"]) {
      const { code, stderr } = await place.run(`mc list ${flags}`);
      expect([code, stderr]).toEqual([64, expect.stringContaining("contradict each other")]);
    }
  });
});
