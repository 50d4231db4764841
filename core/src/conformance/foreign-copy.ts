import type { DumpHead, DumpRow } from "../dump.ts";

const NOTHING = {
  description: null,
  project: null,
  owner: null,
  tags: [],
  parent: null,
  due: null,
  deferred_until: null,
  dedup_key: null,
  version: 1,
  created_at: null,
  updated_at: null,
  done_at: null,
  lease_holder: null,
  lease_until: null,
  fence: 0,
  attempts: 0,
} as const;

/** A copy of a file that another program made: names of its columns are ours too, and mean something else. */
export const FOREIGN: { readonly head: DumpHead; readonly rows: readonly DumpRow[] } = {
  head: {
    ledger: "0123456789abcdef0123456789abcdef",
    seq: 1,
    at: 1e12,
    pruned: 0,
    rows: { task: 2, dependency: 1, evidence: 0, event: 1 },
  },
  rows: [
    {
      table: "task",
      row: {
        id: 3,
        title: "",
        ...NOTHING,
        status: "open",
        status_raw: "Doing",
        priority: null,
        priority_raw: "bananas",
        lease_holder: "john",
        extra: { attempts: "many", big: "9223372036854775806", score: 1.5, version: "v1.2" },
        lease_ttl: null,
      },
    },
    {
      table: "task",
      row: {
        id: 4,
        title: "x",
        ...NOTHING,
        status: "weird",
        status_raw: "weird",
        priority: 1,
        priority_raw: "HIGH",
        extra: { dod_evidence: '["a.png"]' },
        lease_ttl: null,
      },
    },
    { table: "dependency", row: { task: 3, blocker: 987 } },
    {
      table: "event",
      row: {
        seq: 1,
        task: null,
        kind: "adopted",
        at: 1e12,
        actor: "ann",
        session: "s1",
        fence: null,
        data: { added: ["version"], tasks: 2 },
      },
    },
  ],
};
