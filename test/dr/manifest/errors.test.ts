import { describe, expect, test } from "vitest";
import { YamlFile } from "../../../src/dr/manifest/document.ts";
import { mustBe } from "../../../src/dr/manifest/named.ts";
import { parseManifest } from "../../../src/dr/manifest/parse.ts";
import { ManifestError } from "../../../src/dr/manifest/problems.ts";
import { toFailure } from "../../../src/kit/errors.ts";

/** A manifest in which nothing is wrong; each test changes a line of it. */
const GOOD = `hosts:
  - name: anvil
    role: primary
    user: ann
    databases: /srv/db
    state: /srv/alai
    addresses: [10.0.0.1]
  - { name: forge, role: standby, user: ann, databases: /srv/db, state: /srv/alai, addresses: [10.0.0.2] }
storage: { type: file, path: /srv/replicas }
tiers:
  - { name: p0, retention: 168h, rpo: 60s }
  - { name: p1, retention: 72h, rpo: 2m }
services:
  - { name: ledger, start: a, stop: b }
databases:
  - { name: one, tier: p0, owner: ledger }
  - { name: two, tier: p1, size: 0 }
watch:
  channels: [{ kind: slack-webhook, name: ops, secret: SLACK_URL }]
models:
  endpoints:
    - { name: a, host: anvil, url: "http://10.0.0.1:11434", models: [small] }
  tiers:
    - { name: "1", endpoint: a, model: small }
`;

/** The lines that say what is wrong. */
function problemsOf(text: string): readonly string[] {
  try {
    parseManifest(text, "m.yaml");
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return toFailure(error).lines ?? [];
  }
}

function changed(from: string, to: string): string {
  expect(GOOD.split(from)).toHaveLength(2);
  return GOOD.replace(from, () => to);
}

test("nothing is wrong in a good manifest", () => {
  expect(problemsOf(GOOD)).toEqual([]);
});

test("what is done every day: at these times by itself, at others when told so, or never", () => {
  const HOUR = 3_600_000;
  const daily = (more: string) => parseManifest(GOOD + more, "m.yaml").daily;
  expect(daily("")).toEqual({ prove: 3 * HOUR, drill: 4 * HOUR });
  expect(daily("daily: { drill: 23:59 }\n")).toEqual({ prove: 3 * HOUR, drill: 24 * HOUR - 60_000 });
  expect(daily('daily: { prove: "00:00", drill: off }\n')).toEqual({ prove: 0, drill: null });
});

/** `^` in what a text is changed to is where the error stands; it is taken out. */
const CASES: readonly (readonly [name: string, from: string, to: string, says: RegExp])[] = [
  [
    "a time of day that there is not",
    "watch:\n",
    'daily: { prove: ^"24:00" }\nwatch:\n',
    /prove is "24:00", which is not a time of day.*00:00 to 23:59, in UTC, or off/,
  ],
  ["a daily run that there is not", "watch:\n", "daily: { ^prov: off }\nwatch:\n", /no key "prov".*prove\?/],
  [
    "an unknown key, with what was meant",
    "rpo: 60s }",
    "rpo: 60s, ^retentoin: 1h }",
    /no key "retentoin".*retention\?/,
  ],
  ["a key twice", "user: ann\n", "user: ann\n    ^user: bob\n", /"user" stands twice .* line 4/],
  [
    "a missing key",
    "name: anvil\n    role: primary\n    user: ann",
    "^name: anvil\n    role: primary",
    /\(anvil\) has no user\./,
  ],
  [
    "a tier without rule",
    "{ name: p1, retention: 72h, rpo: 2m }",
    "^{ name: p1 }",
    /\(p1\) has no retention, no rpo\./,
  ],
  ["a duration without unit", "retention: 72h", "retention: ^72", /"72", which is not a length of time.*90s/],
  ["a duration of two units", "retention: 72h", "retention: ^1h30m", /not a length of time/],
  ["a duration that is too short", "retention: 72h", "retention: ^1s", /too short.*60s/],
  ["none where it is not taken", "rpo: 2m", "rpo: ^none", /not a length of time/],
  ["two databases of one name", "name: two", "name: ^one", /database one is there twice; first in line 16/],
  [
    "two databases on one path",
    "name: two,",
    "name: two, path: ^./one.db,",
    /two and one \(line 16\) are on one path, one\.db/,
  ],
  ["on a Mac's disk: One.db and one.db", "name: two,", "name: two, path: ^One.db,", /on one path/],
  ["a path out of the folder", "name: two,", "name: two, path: ^../x.db,", /not a path below the databases folder/],
  ["a file beside a database", "name: two,", "name: two, path: ^one.db-wal,", /a file beside a database/],
  ["a tier that is not there", "tier: p1,", "tier: ^p2,", /no tier p2.*p0, p1/],
  ["an owner that is not there", "owner: ledger", "owner: ^ledgr", /no service ledgr.*Did you mean ledger\?/],
  ["a size that is no number", "size: 0", "size: ^big", /size is "big".*whole number from 0 up/],
  ["a class that the bytes are not in", "size: 0", "size: 0, size-class: ^large", /0 bytes are empty, not large/],
  ["two primaries", "role: standby", "role: ^primary", /Both anvil and forge are the primary/],
  ["no primary", "- name: anvil\n    role: primary", "^- name: anvil\n    role: standby", /No host is the primary/],
  ["one address for two hosts", "[10.0.0.2]", "[^10.0.0.1]", /an address of anvil already/],
  [
    "the agent's folder among the databases",
    "state: /srv/alai\n",
    "state: ^/srv/db/alai\n",
    /in the folder of the databases/,
  ],
  ["a socket that cannot be", "state: /srv/alai\n", `state: ^/srv/${"x".repeat(100)}\n`, /no socket can be in it/],
  ["a relative folder", "databases: /srv/db\n", "databases: ^srv/db\n", /not an absolute path/],
  ["a kind of storage that is not known", "type: file", "type: ^gcs", /the type "gcs".*azure, s3, file/],
  [
    "a key of another kind of storage",
    "path: /srv/replicas }",
    "path: /srv/replicas, ^account: abc }",
    /no key "account"/,
  ],
  [
    "snapshots thrown away too soon",
    "retention: 72h",
    "retention: 72h, snapshot-interval: ^96h",
    /throws snapshots away sooner/,
  ],
  [
    "a watch that never rests",
    "watch:\n",
    "watch:\n  interval: ^1s\n",
    /interval is "1s", which is too short.*5s to 60s/,
  ],
  ["a watch that sleeps", "watch:\n", "watch:\n  interval: ^61s\n", /interval is "61s", which is too long.*5s to 60s/],
  ["an rpo that cannot be held", "rpo: 2m", "rpo: ^2m, sync-interval: 5m", /shorter than its sync-interval/],
  ["the same of one database", "size: 0", "size: 0, sync-interval: ^5m", /shorter than its sync-interval/],
  [
    "a heartbeat too seldom",
    "rpo: 60s",
    "rpo: 60s, heartbeat: ^5m",
    /every 5m, sent within 1s, can never prove the rpo of p0, 1m\. Write at most 59s/,
  ],
  ["a heartbeat that is just too seldom", "rpo: 60s", "rpo: 60s, heartbeat: ^60s", /can never prove/],
  ["a heartbeat of one database", "size: 0", "size: 0, heartbeat: ^2m", /every 2m, .* the tier of two, 2m/],
  [
    "databases in the storage",
    "path: /srv/replicas",
    "path: ^/srv",
    /folder of databases of anvil is in the storage, \/srv\/db/,
  ],
  [
    "the storage among the databases",
    "path: /srv/replicas",
    "path: ^/srv/db/replicas/",
    /The storage is in the folder of databases of anvil, .* another disk/,
  ],
  [
    "the storage in the agent's folder",
    "path: /srv/replicas",
    "path: ^/srv/alai/storage",
    /in the agent's folder of anvil/,
  ],
  [
    "the endpoint of another account",
    "{ type: file, path: /srv/replicas }",
    '{ type: azure, account: ours, container: abc, endpoint: ^"https://theirs.blob.core.windows.net" }',
    /endpoint of the account theirs, and account is ours/,
  ],
  [
    "an address with the port that is the default",
    "addresses: [10.0.0.2]",
    "port: 9470, addresses: [^10.0.0.1]",
    /an address of anvil already/,
  ],
  [
    "one folder of databases on one machine",
    "databases: /srv/db, state: /srv/alai, addresses: [10.0.0.2]",
    "databases: ^/srv/db/, state: /srv/other, port: 9480, addresses: [10.0.0.1]",
    /forge and anvil are one machine \(10\.0\.0\.1\), .*copies would be put over the databases/,
  ],
  [
    "one state on one machine",
    "databases: /srv/db, state: /srv/alai, addresses: [10.0.0.2]",
    "databases: /srv/copies, state: ^/srv/alai, port: 9480, addresses: [10.0.0.1]",
    /two agents would write one state/,
  ],
  [
    "a database in another one",
    "name: two,",
    "name: two, path: ^one.db/two.db,",
    /two would be in one\.db, which is the database one \(line 16\)/,
  ],
  [
    "names that a Mac takes for one",
    "name: two,",
    "name: ^One, path: x.db,",
    /One and one \(line 16\) are one name on a Mac's disk/,
  ],
  [
    "a secret that is one",
    "secret: SLACK_URL",
    'secret: ^"https://hooks.slack.com/services/T/B/x"',
    /name of an environment variable/,
  ],
  ["credentials in an address", '"http://10.0.0.1:11434"', '^"http://u:p@10.0.0.1:11434"', /without credentials/],
  ["an endpoint that is not there", "endpoint: a,", "endpoint: ^b,", /no endpoint b\./],
  ["a model that is not there", "model: small }", "model: ^smal }", /no model of a named smal\. Did you mean small\?/],
  ["a host of an endpoint that is not there", "host: anvil", "host: ^anvl", /no host anvl\. Did you mean anvil\?/],
  ["an anchor", "name: p1,", "name: &x ^p1,", /An anchor/],
  ["a reference", "name: p1,", "name: ^*x ,", /reference|not YAML/],
  ["a tag", "name: p1,", "name: ^!x p1,", /A tag|not YAML/],
  [
    "a list where keys belong",
    "storage: { type: file, path: /srv/replicas }",
    "storage: ^[file]",
    /is a list.*keys and values/,
  ],
  ["a word where a list belongs", "[10.0.0.2]", "^10.0.0.2", /addresses is "10\.0\.0\.2", not a list/],
];

describe("what is wrong has a place, and says what is allowed", () => {
  test.each(CASES)("%s", (_, from, to, says) => {
    const marked = changed(from, to);
    const before = marked.slice(0, marked.indexOf("^")).split("\n");
    const at = `m.yaml:${before.length}:${(before.at(-1) ?? "").length + 1}: `;
    const [line, ...more] = problemsOf(marked.replace("^", ""));
    expect([line, more]).toEqual([expect.stringMatching(says), []]);
    expect(line).toContain(at);
  });
});

test("a database's own sync-interval that leaves no room for the tier's heartbeat", () => {
  const text = changed("rpo: 2m }", "rpo: 2m, heartbeat: 90s }").replace("size: 0", "size: 0, sync-interval: 45s");
  expect(problemsOf(text)).toEqual([
    expect.stringMatching(/:17:52: A heartbeat every 90s, sent within 45s, .* two, 2m/),
  ]);
  // A heartbeat of its own that comes often enough, or none, is well.
  expect(problemsOf(text.replace("45s", "45s, heartbeat: 30s"))).toEqual([]);
  expect(problemsOf(text.replace("45s", "45s, heartbeat: none"))).toEqual([]);
});

test("names that are all near are named once", () => {
  const text = GOOD.replace("owner: ledger", "owner: ledgr");
  expect(text).not.toBe(GOOD);
  expect(problemsOf(text)).toEqual([
    expect.stringMatching(/no service ledgr\. Did you mean ledger\? There is no other\.$/),
  ]);
  const file = new YamlFile("tier: p3\n");
  mustBe(file, ["tier"], "p3", ["p0", "p1"], "tier");
  mustBe(file, ["tier"], "p3", ["p0", "p1", "archive"], "tier");
  expect(file.problems.map(({ allowed }) => allowed)).toEqual([
    "There are: p0, p1.",
    "Did you mean p0, p1? There are: p0, p1, archive.",
  ]);
});

test("a tab is one fault in a line, whatever else it makes of the file", () => {
  expect(problemsOf("hosts:\n  - { name: x,\n\trole: primary }\ntiers:\n\t- { name: a }\n")).toEqual([
    expect.stringMatching(/^m\.yaml:5:1: A tab/),
  ]);
  expect(problemsOf("storage:\n\ttype: file\n\tpath: /a\n")).toEqual([
    expect.stringMatching(/^m\.yaml:2:1: A tab/),
    expect.stringMatching(/^m\.yaml:3:1: A tab/),
  ]);
});

test("a bucket may have dots, and a container may not", () => {
  const of = (storage: string) => problemsOf(GOOD.replace(/^storage:.*(?:\n {2}.*)*/m, () => `storage: ${storage}`));
  const s3 = (bucket: string) => of(`{ type: s3, bucket: ${bucket}, region: eu }`);
  expect(s3("my.bucket")).toEqual([]);
  expect(s3("bk")).toEqual([expect.stringMatching(/not a name of a bucket\..*dots and -/)]);
  expect(of("{ type: azure, account: abc, container: my.box }")).toEqual([
    expect.stringMatching(/not a name of a container\. Write 3 to 63 small letters, digits and -,/),
  ]);
});

test("two hosts on one machine, each with its own folders and port, are well", () => {
  const own = "databases: /srv/copies, state: /srv/forge, port: 9480, addresses: [10.0.0.1]";
  expect(problemsOf(changed("databases: /srv/db, state: /srv/alai, addresses: [10.0.0.2]", own))).toEqual([]);
});

test("what may be a secret is not repeated", () => {
  const lines = [
    ...problemsOf(changed("secret: SLACK_URL", "secret: https://hooks.slack.com/services/T/B/hush")),
    ...problemsOf(changed("http://10.0.0.1:11434", "http://u:hush@10.0.0.1:11434")),
  ];
  expect([lines.length, lines.join()]).toEqual([2, expect.not.stringContaining("hush")]);
});

test("everything that is wrong is said at once, in the order of the file", () => {
  const text = changed("rpo: 60s", "rpo: x").replace("tier: p1", "tier: p9").replace("role: standby", "role: primary");
  expect(problemsOf(`${text}bogus: 1\n`).map((line) => line.split(" ")[0])).toEqual([
    "m.yaml:8:26:",
    "m.yaml:11:39:",
    "m.yaml:17:24:",
    "m.yaml:25:1:",
  ]);
});

test.each([
  ["nothing", "", /:1:1: The manifest is empty\. .*alai dr adopt/],
  ["a comment", "# later\n", /The manifest is empty/],
  ["the beginning of a document", "---\n", /The manifest is empty/],
  ["a list", "- a\n", /the file is a list/],
  ["two documents", `${GOOD}---\na: 1\n`, /:25:1: A second document begins here\. .*leave out this ---/],
  ["an open bracket", "hosts: [", /not YAML/],
  ["a tab", "hosts:\n\t- a", /:2:1: A tab stands at the beginning .*spaces/],
  ["a list in a list in a list…", `hosts: ${"[".repeat(20_000)}`, /nested too deeply/],
  ["binary", "\u0000\u0001", /not YAML|is "/],
])("%s is no manifest", (_, text, says) => {
  expect(problemsOf(text)[0]).toMatch(says);
});

test("of a file in which everything is wrong fifty lines are said, and how many more there are", () => {
  const lines = problemsOf(Array.from({ length: 5000 }, (_, at) => `k${at}: 1\n`).join(""));
  expect([lines.length, lines.at(-1)]).toEqual([51, "… and 4951 more."]);
});

test("references to references are refused where they stand, and followed by nobody", () => {
  const rows = [..."bcdefghijklmnop"].map((name, at) => {
    const before = String.fromCharCode(97 + at);
    return `${name}: &${name} [${Array(9).fill(`*${before}`).join(", ")}]`;
  });
  const text = `a: &a [x, x, x, x, x, x, x, x, x]\n${rows.join("\n")}\nhosts: *p\n`;
  expect(problemsOf(text)).toContainEqual(expect.stringMatching(/^m\.yaml:17:8: A reference \(\*\) is not taken/));
});

test("a mark at the beginning of a UTF-8 file is no part of it", () => {
  expect(parseManifest(`\ufeff${GOOD}`, "m.yaml").databases).toHaveLength(2);
  expect(problemsOf("\ufeffbogus: 1\n")[0]).toContain("m.yaml:1:1: ");
});

test("words that YAML of old took for something else are what they look like", () => {
  const text = changed("name: two", 'name: "no"')
    .replace("name: one", "name: 1e3")
    .replace("user: ann\n", "user: off\n");
  const { databases, hosts } = parseManifest(text, "m.yaml");
  expect([databases.map(({ name, path }) => [name, path]), hosts[0]?.user]).toEqual([
    [
      ["1e3", "1e3.db"],
      ["no", "no.db"],
    ],
    "off",
  ]);
});
