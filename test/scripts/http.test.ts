import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BOB, BUILDS, Place, split } from "./harness.ts";
import { Server } from "./http-server.ts";
import type { Options, Result } from "./running.ts";

/** The same commands on a local file and on a server: the same exit codes, the same output, byte for byte. */

type Step = readonly [words: string | readonly string[], options?: Options];

const bob = { env: BOB };
const soft = { env: { ...BOB, MC_LEASE_ENFORCE: "0" } };
const OLD = JSON.stringify([
  { title: "old", dedup_key: "o-1", created_at: "2026-01-02T03:04:05Z", notes: ["from before"] },
  { title: "older", status: "done", done_at: "2025-01-02T03:04:05Z", tags: ["a", "b"] },
]);

/** Every verb, with what it refuses, as lines, as JSON and quiet. */
const STEPS: readonly Step[] = [
  ["mc list"],
  ["mc next"],
  [["mc", "add", "Write the report", "-p", "1", "--project", "alpha", "--tag", "x,y", "--due", "2027-01-02"]],
  [["mc", "add", 'Zoë\'s "second" – 日本語 🚀', "-d", "two\nlines\tand a tab", "--owner", "zoë"]],
  [["mc", "add", "third", "--parent", "1", "--blocked-by", "2", "--json"]],
  [["mc", "add", "once", "--dedup-key", "k-1", "-q"]],
  [["mc", "add", "twice", "--dedup-key", "k-1", "--json=id,title,existing"]],
  [["mc", "add", "orphan", "--parent", "99"]],
  [["mc", "add", "orphan", "--blocked-by", "99", "--json"]],
  ["mc add", { input: "from stdin\n\nwith a description\n" }],
  ["mc list"],
  ["mc list --json"],
  ["mc list --all --sort -id --json=id,title,blocked_by,lease_state"],
  ["mc list --project alpha --tag x"],
  ["mc list --text SECOND"],
  ["mc list --blocked -q"],
  ["mc list --limit 2"],
  ["mc list --status nowhere --json"],
  ["mc show 1 2 --json"],
  ["mc show 3"],
  ["mc show 99"],
  ["mc show 1 99 98 --json"],
  ["mc next --json"],
  ["mc next --claim --ttl 20m"],
  ["mc claim 1"],
  ["mc claim 1", bob],
  ["mc claim 1 --json", bob],
  ["mc claim 3 --json"],
  ["mc claim 2 1", bob],
  ["mc claim 2 99 --json", bob],
  ["mc claim 2 --ttl 30m", bob],
  ["mc claim-status 1 2 3"],
  ["mc claim-status 1 --json=id,state,holder,fence,mine"],
  ["mc claim-status 99"],
  ["mc claim-extend 1 --ttl 40m"],
  ["mc claim-extend 1", bob],
  ["mc claim-extend 3 --json"],
  ["mc list --mine"],
  ["mc list --held --json=id,lease_holder"],
  ["mc list --free -q"],
  ["mc edit 1 --title changed --priority 0 --json=id,title,priority,version"],
  ["mc edit 1 --title stolen", bob],
  ["mc edit 1 --title soft", soft],
  ["mc edit 2 1 --owner x"],
  ["mc edit 2 --project none --due none", bob],
  [["mc", "note", "1", "a note"]],
  [["mc", "note", "1", "another's note", "--json"], bob],
  ["mc done 1", bob],
  ["mc done 1 --json", soft],
  ["mc claim 2", soft],
  ["mc approve 2 --reason hotfix --for 1h"],
  ["mc approve 99 --reason hotfix --for 1h --json"],
  ["mc done 2 --evidence proof.txt", bob],
  ["mc done 2 --fence 7", bob],
  ["mc reopen 2", bob],
  ["mc dep add 2 4", bob],
  ["mc dep add 4 2", bob],
  ["mc dep rm 2 4 --json=id,blocked_by", bob],
  ["mc pause 4"],
  ["mc ready 4 --json=id,status"],
  ["mc cancel 4 5"],
  ["mc undo"],
  ["mc undo 9999"],
  ["mc claim-release 2"],
  ["mc claim-release 1"],
  ["mc claim-release 1 --json"],
  ["mc claim 5 --ttl 1s", bob],
  ["mc wait 5 --timeout 20s"],
  ["mc claim-sweep --json"],
  ["mc import", { input: OLD }],
  ["mc import --json", { input: OLD }],
  ["mc import", { input: "not json" }],
  ["mc export"],
  ["mc events"],
  ["mc events --task 1 --json"],
  ["mc events --after 3 --limit 2"],
  ["mc stats"],
  ["mc stats --json"],
  ["mc wait 1 --timeout 1s"],
  ["mc wait 2 --for done --timeout 300ms"],
  [["mc", "run", "2", "--", "sh", "-c", "echo in $ALAI_MC_TASK $ALAI_MC_FENCE $ALAI_ACTOR; exit 7"]],
  [["mc", "run", "2", "--done", "--json", "--", "true"]],
  ["mc run 99 -- true"],
  ["mc claim"],
  ["mc claim x"],
  ["mc list --nonsense"],
];

/** What differs by nature: times, the ledger's id, the folder, and which store it is. */
function masked(text: string, place: Place, server?: Server): string {
  const plain = server ? text.replaceAll(`${server.url} (${server.db})`, "STORE") : text.replaceAll(place.db, "STORE");
  return plain
    .replaceAll(place.dir, "DIR")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME")
    .replaceAll(/\b\d{12,13}\b/g, "MILLIS")
    .replaceAll(/-?\d+ s left/g, "N s left")
    .replaceAll(/"(seconds_left|median_time_to_done_ms)":-?[\d.]+/g, '"$1":N')
    .replaceAll(/(median_time_to_done_ms)\t[\d.]+/g, "$1\tN")
    .replaceAll(/("ledger":"|ledger\t)[0-9a-f]{32}/g, "$1LEDGER")
    .replaceAll(/("source":)"[^"]+"/g, '$1"SOURCE"');
}

function outcome({ code, stdout, stderr }: Result, place: Place, server?: Server) {
  return { code, stdout: masked(stdout, place, server), stderr: masked(stderr, place, server) };
}

describe.each(BUILDS)("$name: over HTTP", (build) => {
  test("every command does and says what it does and says on a file", { timeout: 600_000 }, async () => {
    using local = new Place(build);
    using remote = new Place(build);
    const server = await Server.start(remote);
    for (const place of [local, remote]) writeFileSync(place.file("proof.txt"), "proof");
    const codes = new Set<number | null>();
    for (const [words, options = {}] of STEPS) {
      const line = split(words).join(" ");
      const [here, there] = await Promise.all([
        local.run(words, options),
        remote.run(words, { ...options, env: { ...options.env, ...server.env } }),
      ]);
      codes.add(here.code);
      expect([line, outcome(there, remote, server)]).toEqual([line, outcome(here, local)]);
    }
    // The list is no good when everything in it succeeds.
    expect([...codes].sort()).toEqual([0, 1, 3, 5, 64, 7].sort());
    expect(remote.fingerprint()).toBe("");
  });

  test("a task added here is in the first list that is asked for there", async () => {
    using place = new Place(build);
    const server = await Server.start(place);
    const id = await place.ok("mc add news", { env: server.env });
    const list = await place.ok("mc list -q", { env: { ...server.env, ...BOB } });
    expect(list.split("\n")).toContain(id);
  });
});
