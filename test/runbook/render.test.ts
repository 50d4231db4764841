import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AlarmKind } from "../../src/dr/report.ts";
import { headline } from "../../src/dr/status/headline.ts";
import { REGISTRY } from "../../src/registry.ts";
import { readDrills } from "../../src/runbook/drills.ts";
import { code, plain, shellWord } from "../../src/runbook/markdown.ts";
import { label } from "../../src/runbook/mermaid.ts";
import { fileText, renderRunbook, TITLES } from "../../src/runbook/render.ts";
import { writePages } from "../../src/runbook/write.ts";
import { AT, drill, example, facts, madeUp } from "./facts.ts";
import { parseFlowchart } from "./mermaid.ts";

const pages = (from = facts()) => new Map(renderRunbook(from).map((page) => [page.title, page.markdown]));
const all = (from = facts()) => [...pages(from).values()].join("\n");
const diagrams = (text: string) => [...text.matchAll(/```mermaid\n([\s\S]*?)\n```/g)].map(([, chart = ""]) => chart);

const KINDS = {
  ...{
    follower_stalled: 1,
    shipping_stalled: 1,
    child_died: 1,
    heartbeat_old: 1,
    disk_low: 1,
    daily_failed: 1,
    foreign_writer: 1,
    history_lost: 1,
  },
  ...{
    clock_skew: 1,
    unsafe_version: 1,
    storage: 1,
    unproven: 1,
    proof_failed: 1,
    damaged: 1,
    put_aside: 1,
    readers_behind: 1,
  },
} as const satisfies Record<AlarmKind, 1>;

describe("the real manifest", () => {
  test("with a made-up state: every database, its letter and its lag; what happened stands in it as text", () => {
    const found = pages();
    const map = found.get("Heat map") ?? "";
    for (const { name } of example().databases) expect(map).toContain(`| ${name.replaceAll("_", "\\_")} |`);
    expect(map).toContain("| A | mission-control | p0-critical | 27.3 MB | 0.0 s | 1 min |");
    expect(map).toContain("| X | events | ");
    expect(map).toContain("It \\| is &lt;b&gt;old&lt;/b&gt;.");
    expect(map).toContain("| p0-critical | 13 | ");
    const overview = found.get("Overview") ?? "";
    expect(overview).toContain(`**${headline(madeUp(example()))}** Measured at`);
    expect(overview).toContain("Measured at 2026-11-21T10:00:00Z, epoch 3");
    expect(overview).toContain("anvil: `disk_low` / Its disk has 0.5 GiB free.");
    expect(found.get("Node inventory")).toContain("no answer within 3 s");
    expect(found.get("Replication")).toContain(
      "| hivemind-archive | p1 | `hivemind-archive.db` | `e<N>/hivemind-archive` | 10 s |",
    );
  });

  test("with the times of a drill; a drill that did not restore everything is no measure of a failover", () => {
    const manifest = example();
    const measured = pages().get("Failover step by step") ?? "";
    expect(measured).toContain("### 4. Restore everything from storage\n\n*alai; measured: 2 min 12 s.*");
    expect(measured).toContain("1 of 12 steps is measured, by the drill of 2026-11-20T10:00:00Z");
    // Eleven that nobody measured are not in it.
    expect(measured).not.toContain("together");
    expect(measured).toContain('{"epoch":4,"owner":"forge","state":"primary"}');
    const half = drill(manifest, { databases: [{ name: "a", seconds: 1, ok: false }], verdict: "FAIL" });
    const not = pages(facts({ drills: [half] })).get("Failover step by step") ?? "";
    expect(not).toContain("None of the 12 steps is measured yet.");
    expect(not).not.toContain("measured: ");
    const schedule = pages().get("Drill schedule") ?? "";
    expect(schedule).toContain(
      "The isolated drill: due at 2026-11-21T04:00:00Z. The last was at 2026-11-20T10:00:00Z.",
    );
    expect(schedule).toContain("The proof: due at 2026-11-22T03:00:00Z.");
    const at = example((text) =>
      text.replace('drill: "04:00"', 'drill: "12:30"').replace('prove: "03:00"', "prove: off"),
    );
    const other = pages(facts({ manifest: at })).get("Drill schedule") ?? "";
    expect(other).toContain("The isolated drill: due at 2026-11-20T12:30:00Z.");
    expect(other).toContain("`daily.prove: off`");
    expect(schedule).toContain("| 2026-11-20T10:00:00Z | isolated | PASS | 69 of 69 | 2 min 12 s | 1.9 s | 0 |");
  });

  test("a failover says what to do where the watcher has seen nothing yet, what the restored files may, and how to switch as planned", () => {
    const page = pages().get("Failover step by step") ?? "";
    expect(page).toContain("alai dr status --json=epoch,storage\n");
    expect(page).toMatch(/not down \(exit 1\), the watcher has not seen the outage yet: go on/);
    expect(page).toMatch(/mode 600[\s\S]*sudo chown -R basicas \/\S+\n# find \S+ -type d[\s\S]*chmod 644/);
    const [, planned = ""] = page.split("## When nothing is lost: a planned switch");
    expect(planned).toMatch(/Steps 4 to 10 above[\s\S]*Leave out step 11[\s\S]*Step 12\. anvil/);
    expect(planned).toMatch(/\.before-standby-e4` all the same, and raises `put_aside`/);
  });

  test("with nothing measured: said on each page that would have it, and nothing made up", () => {
    const none = facts({ status: null, drills: [] });
    const found = pages(none);
    for (const title of ["Overview", "Node inventory", "Failover step by step", "Drill schedule", "Heat map"])
      expect(found.get(title)).toMatch(/^> Written by `alai runbook` .*no measured state: nobody answered/);
    const failover = found.get("Failover step by step") ?? "";
    expect(failover.match(/not measured yet/g)?.length).toBeGreaterThan(12);
    expect(failover).toContain('{"epoch":N,"owner":"forge"');
    expect(found.get("Drill schedule")).toContain("no drill is known, so it is due now");
    expect(all(none)).not.toMatch(/2026-|undefined|NaN|\[object|null\b/);
    // Not the manifest's order of anything, nor the time: the same facts are the same bytes.
    expect(all(none)).toBe(all(facts({ status: null, drills: [] })));
  });

  test("each page says what it was made from; those without measurements do not change with the time", () => {
    const manifest = example();
    const [before, after] = [pages(), pages(facts({ status: { ...madeUp(manifest), at: AT + 60_000 } }))];
    const changed = TITLES.filter((title) => before.get(title) !== after.get(title));
    expect(changed).toEqual(["Overview", "Node inventory", "Failover step by step", "Drill schedule", "Heat map"]);
    for (const text of before.values())
      expect(text.split("\n")[0]).toMatch(
        new RegExp(`^> Written by .alai runbook. from the manifest .${manifest.hash.slice(0, 12)}.`),
      );
  });

  test("three diagrams that Mermaid's grammar takes", () => {
    for (const from of [facts(), facts({ status: null, drills: [] })]) {
      const [flow, tree, heat, ...more] = diagrams(all(from)).map(parseFlowchart);
      expect(more).toEqual([]);
      expect(flow?.subgraphs).toEqual(["anvil, primary", "forge, standby"]);
      expect(tree?.nodes.size).toBe(13);
      expect(tree?.edges.length).toBe(12);
      expect(heat?.nodes.size).toBe(69);
      expect(heat?.subgraphs).toEqual(["p0-critical", "p0-financial", "p1", "p2"]);
    }
    for (const wrong of [
      "flowchart LR\n  a[b]",
      'flowchart LR\n  subgraph s["x"]',
      'flowchart LR\n  a["<b>"]',
      "flowchart LR\n  a --> b",
    ])
      expect(() => parseFlowchart(wrong)).toThrow();
    expect(parseFlowchart(`flowchart LR\n  a[${label('x "y" <z> #1; `')}]`).nodes.get("a")).toBe(
      "x #quot;y#quot; #lt;z#gt; #35;1; #96;",
    );
  });

  test("an entry for every alarm, with signs, check and action", () => {
    const text = pages().get("Failure catalogue") ?? "";
    for (const kind of Object.keys(KINDS)) expect(text).toContain(`: \`${kind}\`\n`);
    const entries = text.split("\n## ").slice(1);
    expect(entries.length).toBe(Object.keys(KINDS).length + 4);
    for (const entry of entries)
      expect(entry).toMatch(/\*\*Signs\.\*\* \S[\s\S]*\*\*Check\.\*\*[\s\S]*```sh\n\S[\s\S]*\*\*Action\.\*\*\n\n- \S/);
  });

  test("names no command that does not exist, and no flag that it does not have", async () => {
    const lines = [...all().matchAll(/^alai [^\n]*/gm), ...all().matchAll(/`(alai [^`]*)`/g)].map(
      ([line, inner]) => inner ?? line,
    );
    expect(lines.length).toBeGreaterThan(25);
    for (const line of lines) {
      const words = (line.replaceAll("`", "").split(/ {2,}#/)[0] ?? "").trim().split(" ").slice(1);
      if (words[0] === "runbook" && words.length === 1) continue;
      const entry = REGISTRY.filter(({ path }) => path.every((word, at) => words[at] === word)).toSorted(
        (a, b) => b.path.length - a.path.length,
      )[0];
      expect(entry, line).toBeDefined();
      const { flags } = (await entry?.load())?.command ?? { flags: {} };
      const own = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
      for (const flag of own.filter((word) => /^--\w/.test(word)))
        expect(
          [...Object.keys(flags), "json"].map((name) => `--${name}`),
          line,
        ).toContain(flag.split("=")[0]);
    }
  });

  test("secrets by name and place; what an address holds behind its host is nowhere", () => {
    const manifest = example((text) =>
      text
        .replace("https://hc-ping.com/alai-watch", "https://hc-ping.com/1f0e-secret-uuid")
        .replace(
          "  channels:\n",
          "  channels:\n    - { kind: webhook, name: pager, url: https://pager.example.com/k/s3cr3t, secret: 'bw://Pager/key' }\n",
        ),
    );
    const text = all(facts({ manifest, status: null, drills: [] }));
    expect(text).toContain("`bw://Pager/key` | alerts: pager (webhook) | the watcher | the vault |");
    expect(text).toContain("`BOOKSTACK_TOKEN`");
    expect(text).toContain("`LITESTREAM_AZURE_SAS_TOKEN`");
    expect(text).toContain("https://pager.example.com");
    expect(text).not.toMatch(/s3cr3t|secret-uuid/);
  });

  test("a manifest without standby, services, names and channels is one too", () => {
    const text = `hosts:
  - { name: one, role: primary, user: u, os: linux, databases: "/d b", state: /s, addresses: [127.0.0.1] }
storage: { type: file, path: /nowhere }
tiers:
  - { name: p1, retention: 72h, sync-interval: 1s, rpo: 2m, heartbeat: none }
databases: []
watch: { interval: 10s, misses: 2, escalate-after: 5m }
`;
    const found = pages(facts({ manifest: example(() => text), status: null, drills: [] }));
    expect(found.get("Failover step by step")).toContain("The manifest has no standby.");
    expect(found.get("Alerts")).toContain("nobody is told");
    for (const chart of diagrams([...found.values()].join("\n"))) parseFlowchart(chart);
  });
});

test("text from elsewhere stays text", () => {
  expect(plain("a|b <i>*x*</i> `y` [z](u)\n")).toBe("a\\|b &lt;i&gt;\\*x\\*&lt;/i&gt; \\`y\\` \\[z\\](u)\\\\n");
  expect([code("a"), code("a`b"), code("`a")]).toEqual(["`a`", "``a`b``", "`` `a ``"]);
  expect([shellWord("/a/b.c"), shellWord("a b's")]).toEqual(["/a/b.c", "'a b'\\''s'"]);
});

describe("files", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "alai-runbook-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("written, left as they are, written anew; nothing is left aside; others may read them", () => {
    const out = join(folder, "a", "b");
    expect(writePages(out, renderRunbook(facts())).map(({ change }) => change)).toEqual(TITLES.map(() => "new"));
    const before = statSync(join(out, "01-overview.md")).mtimeMs;
    expect(new Set(writePages(out, renderRunbook(facts())).map(({ change }) => change))).toEqual(new Set(["same"]));
    expect(statSync(join(out, "01-overview.md")).mtimeMs).toBe(before);
    const later = writePages(out, renderRunbook(facts({ status: null })));
    expect(later.find(({ title }) => title === "Overview")?.change).toBe("changed");
    expect(later.find(({ title }) => title === "Secrets")?.change).toBe("same");
    expect(readdirSync(out)).toHaveLength(TITLES.length);
  });

  test("never over a file that is not ours: nothing at all is written then", () => {
    writeFileSync(join(folder, "06-failures.md"), "# mine\n");
    expect(() => writePages(folder, renderRunbook(facts()))).toThrow(/06-failures\.md was not written by alai runbook/);
    expect(readdirSync(folder)).toEqual(["06-failures.md"]);
    const [page] = renderRunbook(facts());
    if (page) writeFileSync(join(folder, "06-failures.md"), fileText(page).replace("Change", "change"));
    writePages(folder, renderRunbook(facts()));
    expect(existsSync(join(folder, "10-heat-map.md"))).toBe(true);
  });

  test("reports of drills are read where they are; half a report is none", () => {
    const drills = join(folder, "drills");
    mkdirSync(drills);
    const report = (id: string, startedAt: number) => ({
      ...{ id, startedAt, mode: "isolated", verdict: "PASS", findings: [{}, {}] },
      ...{
        perDatabase: [{ name: "a", seconds: 1.5, ok: true }],
        totals: { restoreSeconds: 2, rpoWorstSeconds: 1, markerRpoSeconds: 3 },
      },
    });
    writeFileSync(join(drills, "1.json"), JSON.stringify(report("1", AT)));
    writeFileSync(join(drills, "2.json"), JSON.stringify(report("2", AT + 1)));
    writeFileSync(join(drills, "3.json"), JSON.stringify(report("3", AT + 2)).slice(0, -9));
    writeFileSync(join(drills, "4.json"), "null");
    writeFileSync(join(drills, "2.md"), "# no");
    const found = readDrills([folder, folder, join(folder, "nowhere")]);
    expect(found.map(({ id }) => id)).toEqual(["2", "1"]);
    expect(found[0]).toMatchObject({ restoreSeconds: 2, rpoWorstSeconds: 3, findings: 2 });
  });
});
