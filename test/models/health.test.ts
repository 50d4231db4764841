import fc from "fast-check";
import { expect, test } from "vitest";
import type { Context } from "../../src/kit/context.ts";
import { choose, isRoute } from "../../src/models/choose.ts";
import { type EndpointStatus, type StatusDocument, staleFor } from "../../src/models/document.ts";
import { afterLook, type Health, type Trouble, type TroubleKind, UNKNOWN } from "../../src/models/health.ts";
import { whyUnsure } from "../../src/models/known.ts";
import type { Override } from "../../src/models/override.ts";

/** What is believed, and where that leads: pure, so every order of events can be tried. */

const NOW = 1_780_000_000_000;
const trouble = (kind: TroubleKind): Trouble => ({ kind, message: kind });

test("two looks in a row change what is believed, and nothing less", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (looks) => {
      looks.reduce((before, found, at) => {
        const state = looks[at - 1] === found ? UP_OR_DOWN[String(found) as "true"] : before.state;
        const since = state === before.state ? before.since : at;
        const why = found ? null : trouble("timeout");
        const after = afterLook(before, why, at);
        expect(after).toMatchObject({ state, since, trouble: why });
        return after;
      }, UNKNOWN);
    }),
  );
});

const UP_OR_DOWN = { true: "up", false: "down" } as const;

test("of a failure that changes, the last kind is kept", () => {
  const down = ["timeout", "connection"].reduce(
    (health, kind, at) => afterLook(health, trouble(kind as TroubleKind), at),
    UNKNOWN,
  );
  expect(down).toMatchObject({ state: "down", since: 1, trouble: { kind: "connection" } });
});

const up: Health = { state: "up", since: NOW, hits: 2, misses: 0, trouble: null };
const down = (kind: TroubleKind): Health => ({ state: "down", since: NOW, hits: 0, misses: 2, trouble: trouble(kind) });

/** The plan's rules: ANVIL, then FORGE, then Claude, and Together.ai only when none of them can be reached. */
function fleet(
  states: Readonly<Record<string, Health>>,
  models: Readonly<Record<string, Health>> = {},
): StatusDocument {
  const endpoint = (name: string, ...names: string[]): EndpointStatus => ({
    ...{ name, host: null, kind: "ollama", url: `http://${name}`, latency: 1, listed: true },
    health: states[name] ?? up,
    models: names.map((model) => ({ name: model, health: models[`${name}/${model}`] ?? states[name] ?? up })),
  });
  return {
    ...{ version: 1, at: NOW, watcher: { pid: 1, since: NOW }, interval: 15_000, timeout: 3000 },
    manifest: { file: "/m", hash: "" },
    endpoints: [
      endpoint("anvil", "qwen:32b"),
      endpoint("forge", "qwen:q8", "llama"),
      endpoint("claude", "sonnet"),
      endpoint("together", "llama-70b"),
    ],
    tiers: [
      {
        name: "2c",
        endpoint: "anvil",
        model: "qwen:32b",
        fallbacks: [
          { endpoint: "forge", model: "qwen:q8", onlyUnreachable: false },
          { endpoint: "claude", model: "sonnet", onlyUnreachable: false },
          { endpoint: "together", model: "llama-70b", onlyUnreachable: true },
        ],
      },
    ],
  };
}

function leads(document: StatusDocument, asked = "2c", overrides: readonly Override[] = [], now = NOW): string {
  const found = choose(document, overrides, asked, now);
  if (!found) return "unknown name";
  return isRoute(found) ? `${found.endpoint}/${found.model} ${found.via} ${found.state}` : "nothing";
}

test("the rules of fallback", () => {
  const gone = down("connection");
  expect(leads(fleet({}))).toBe("anvil/qwen:32b first up");
  expect(leads(fleet({ anvil: gone }))).toBe("forge/qwen:q8 fallback up");
  expect(leads(fleet({}, { "anvil/qwen:32b": down("missing") }))).toBe("forge/qwen:q8 fallback up");
  expect(leads(fleet({ anvil: gone, forge: down("http") }))).toBe("claude/sonnet fallback up");
  expect(leads(fleet({ anvil: gone, forge: gone, claude: gone }))).toBe("together/llama-70b fallback up");
  // One of them could be reached, and has another fault: that is for people to mend.
  for (const kind of ["timeout", "http", "missing"] as const)
    expect(leads(fleet({ anvil: gone, forge: down(kind), claude: gone }))).toBe("nothing");
  expect(leads(fleet({ anvil: gone, forge: gone, claude: gone, together: gone }))).toBe("nothing");
});

test("a host that answers again is reachable, though it is not trusted yet", () => {
  const back: Health = { ...down("connection"), hits: 1, misses: 0, trouble: null };
  expect(leads(fleet({ anvil: back, forge: back, claude: back }))).toBe("nothing");
});

test("by a model's name: its tier's rule, else the endpoints that have it", () => {
  expect(leads(fleet({ anvil: down("connection") }), "qwen:32b")).toBe("forge/qwen:q8 fallback up");
  expect(leads(fleet({}), "llama")).toBe("forge/llama first up");
  expect(leads(fleet({ forge: down("http") }), "llama")).toBe("nothing");
  expect(leads(fleet({}), "gpt")).toBe("unknown name");
});

test("an override stands before the rules until its moment, whatever state it leads to", () => {
  const said = { tier: "2c", endpoint: "forge", model: "other", until: NOW + 1000, by: "ann", at: NOW, reason: null };
  expect(leads(fleet({}), "2c", [said])).toBe("forge/other override up");
  expect(leads(fleet({ forge: down("http") }), "2c", [said])).toBe("forge/other override down");
  expect(leads(fleet({}), "2c", [said], NOW + 999)).toBe("forge/other override up");
  expect(leads(fleet({}), "2c", [said], NOW + 1000)).toBe("anvil/qwen:32b first up");
  expect(leads(fleet({}), "2c", [{ ...said, endpoint: "no longer there" }])).toBe("anvil/qwen:32b first up");
});

test("what nobody looks at any more is unknown: the last that answered, and the first where none did", () => {
  const gone = down("connection");
  const later = NOW + 55_000;
  expect(staleFor(fleet({}), NOW + 54_000)).toBeNull();
  expect(staleFor(fleet({}), later)).toBe(55_000);
  // A clock that was set back.
  expect(staleFor(fleet({}), NOW - 55_000)).toBe(55_000);
  expect(leads(fleet({ anvil: gone }), "2c", [], later)).toBe("forge/qwen:q8 fallback unknown");
  expect(leads(fleet({ anvil: gone, forge: gone, claude: gone, together: gone }), "2c", [], later)).toBe(
    "anvil/qwen:32b first unknown",
  );
});

test("what one look found is gone by for ten minutes, and said to be as of then; a watcher that fell silent is dead", () => {
  const seen = fleet({});
  const once = { ...seen, watcher: { pid: 1, since: NOW, once: true } };
  const said = (document: StatusDocument, later: number) =>
    whyUnsure({ clock: () => NOW + later } as unknown as Context, document);
  const [minute, most] = [60_000, 600_000];
  expect([said(once, 54_000), said(once, minute), said(once, most), said(once, most + 1)]).toEqual([
    null,
    "As of 2026-05-28 20:26:40 UTC, 1 min ago, by alai models watch --once.",
    "As of 2026-05-28 20:26:40 UTC, 10 min ago, by alai models watch --once.",
    "As of 2026-05-28 20:26:40 UTC, 10 min ago, by alai models watch --once: too long ago to go by.",
  ]);
  expect([leads(once, "2c", [], NOW + most), leads(once, "2c", [], NOW + most + 1)]).toEqual([
    ...["anvil/qwen:32b first up", "anvil/qwen:32b first unknown"],
  ]);
  expect(said(seen, minute)).toContain("(process 1) is dead or hangs");
  expect(leads(seen, "2c", [], NOW + minute)).toBe("anvil/qwen:32b first unknown");
});

test("whatever is down, a route leads to nothing that is known to be down, and to nobody who may not stand in", () => {
  const any = fc.constantFrom(up, UNKNOWN, down("connection"), down("timeout"), down("http"));
  fc.assert(
    fc.property(any, any, any, any, (anvil, forge, claude, together) => {
      const states = { anvil, forge, claude, together };
      const found = choose(fleet(states), [], "2c", NOW);
      const order = ["anvil", "forge", "claude"] as const;
      const first = order.find((name) => states[name].state !== "down");
      if (found && isRoute(found)) expect(found.endpoint).toBe(first ?? "together");
      else expect(first).toBeUndefined();
      if (found && isRoute(found) && found.endpoint === "together")
        for (const name of order) expect(states[name].trouble?.kind).toBe("connection");
    }),
  );
});
