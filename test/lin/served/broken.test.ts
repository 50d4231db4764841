import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";
import { PostgresServer } from "../../postgres/server.ts";
import { SERVER_FAULTS, type ServerFault } from "./broken.ts";
import { type ReadOnce, sse, webSocket } from "./readers.ts";
import { ServedScript } from "./script.ts";

/**
 * Negative controls of the run over HTTP: each faulty server goes through the interleaving that brings its fault to light,
 * beside a right one over the same Postgres. It must be objected to, and a right server in its place must not.
 */
interface Control {
  readonly play: (script: ServedScript) => Promise<unknown>;
  readonly foundBy: readonly ("checker" | "invariants" | "reader")[];
}

const CLAIM = { kind: "claim", ttl: 20_000 } as const;

/** One event each. */
async function write(script: ServedScript, events: number): Promise<void> {
  for (let i = 0; i < events; i += 1)
    await script.right("ann:1", { kind: i % 2 === 0 ? "claim" : "release", ttl: 20_000 });
}

function leaveAndComeBack(read: ReadOnce): Control["play"] {
  return async (script) => {
    await write(script, 4);
    await script.read(read, 3);
    await write(script, 4);
    await script.read(read, 9);
  };
}

const CONTROLS: Readonly<Record<ServerFault, Control>> = {
  "answers-before-commit": {
    play: async (script) => {
      await script.suspect("ann:1", CLAIM);
      await script.right("bob:1", CLAIM);
      script.gap.resolve();
    },
    foundBy: ["checker", "invariants"],
  },
  "claims-from-cache": {
    play: async (script) => {
      await script.suspect("ann:1", CLAIM);
      await script.right("ann:1", { kind: "release" });
      await script.suspect("ann:1", CLAIM);
    },
    foundBy: ["checker"],
  },
  "status-from-cache": {
    play: async (script) => {
      await script.suspect("ann:1", { kind: "status" });
      await script.right("ann:1", CLAIM);
      await script.suspect("bob:1", { kind: "status" });
    },
    foundBy: ["checker"],
  },
  "deaf-to-fence": {
    play: async (script) => {
      await script.suspect("ann:1", CLAIM);
      await script.suspect("ann:1", { kind: "release" });
      await script.suspect("ann:1", CLAIM);
      await script.suspect("ann:1", { kind: "done", fence: 1 });
    },
    foundBy: ["checker"],
  },
  "fast-clock": {
    play: async (script) => {
      await script.right("ann:1", CLAIM);
      await script.suspect("bob:1", CLAIM);
    },
    foundBy: ["checker", "invariants"],
  },
  "feed-begins-at-newest": { play: leaveAndComeBack(sse), foundBy: ["reader"] },
  "feed-repeats-last": { play: leaveAndComeBack(sse), foundBy: ["reader"] },
};

/** The faults of the feed once more, to the other reader that stays. */
const OVER_SOCKETS: Control = { play: leaveAndComeBack(webSocket), foundBy: ["reader"] };
const CASES = [
  ...SERVER_FAULTS.map((fault) => [fault, "", CONTROLS[fault]] as const),
  ...(["feed-begins-at-newest", "feed-repeats-last"] as const).map(
    (fault) => [fault, ", to a web socket", OVER_SOCKETS] as const,
  ),
];

const TEMPLATE = "lin_template";
let postgres: PostgresServer;
let databases = 0;

beforeAll(async () => {
  postgres = await PostgresServer.start(["fsync=off"]);
  await (await PostgresLedger.open(await postgres.createDatabase(TEMPLATE))).closed();
}, 300_000);
afterAll(() => postgres?.remove());

async function judge(fault: ServerFault | null, play: Control["play"]) {
  const script = await ServedScript.open(await postgres.createDatabase(`lin${++databases}`, TEMPLATE), fault);
  try {
    await play(script);
    return await script.judge();
  } finally {
    await script.close();
  }
}

describe.each(CASES)("a server with the fault %s%s", (fault, _to, { play, foundBy }) => {
  test("is found out", async () => {
    const { linearizable, violations, feed } = await judge(fault, play);
    const objections = {
      checker: linearizable === "linearizable" ? [] : [linearizable],
      invariants: violations,
      reader: feed,
    };
    for (const who of foundBy) expect(objections[who], who).not.toEqual([]);
  });

  test("and a right one is not, in the same interleaving", async () => {
    expect(await judge(null, play)).toEqual({ linearizable: "linearizable", violations: [], feed: [] });
  });
});
