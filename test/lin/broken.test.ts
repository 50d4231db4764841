import { describe, expect, test } from "vitest";
import { FAULTS, type Fault } from "./broken.ts";
import { judge, type Script } from "./script.ts";

/**
 * Negative controls: each faulty ledger goes through the interleaving that brings its fault to light. The checker or the
 * invariants must object to it, and must not object to core's ledger in the same interleaving.
 */
interface Control {
  readonly play: (script: Script) => Promise<unknown>;
  readonly foundBy: "checker" | "invariants" | "both";
}

const CONTROLS: Readonly<Record<Fault, Control>> = {
  "read-then-write": {
    play: (script) =>
      script.during(
        () => script.claim("ann:1"),
        () => script.claim("bob:1"),
      ),
    foundBy: "both",
  },
  "actor-only": {
    play: async (script) => {
      await script.claim("ann:1");
      await script.claim("ann:2");
    },
    foundBy: "checker",
  },
  "unfenced-done": {
    play: async (script) => {
      await script.claim("ann:1");
      script.now += 1000;
      await script.claim("bob:1");
      await script.run("ann:1", { kind: "done" });
    },
    foundBy: "both",
  },
  "reviving-extend": {
    play: async (script) => {
      await script.claim("ann:1");
      script.now += 1500;
      await script.run("ann:1", { kind: "extend" });
    },
    foundBy: "checker",
  },
  "held-at-expiry": {
    play: async (script) => {
      await script.claim("ann:1");
      script.now += 1000;
      await script.claim("bob:1");
    },
    foundBy: "checker",
  },
  "same-fence": {
    play: async (script) => {
      await script.claim("ann:1");
      script.now += 1000;
      await script.claim("bob:1");
    },
    foundBy: "both",
  },
  "retry-raises-fence": {
    play: async (script) => {
      await script.claim("ann:1");
      await script.claim("ann:1");
    },
    foundBy: "both",
  },
  "release-by-anyone": {
    play: async (script) => {
      await script.claim("ann:1");
      await script.run("bob:1", { kind: "release" });
    },
    foundBy: "checker",
  },
  "stale-sweep": {
    play: async (script) => {
      await script.claim("ann:1");
      script.now += 1000;
      await script.during(
        () => script.run("bob:1", { kind: "sweep" }),
        () => script.claim("ann:1"),
      );
      await script.run("cat:1", { kind: "status" });
    },
    foundBy: "both",
  },
  "shortening-extend": {
    play: async (script) => {
      await script.claim("ann:1", 5000);
      await script.run("ann:1", { kind: "extend", ttl: 1000 });
      script.now += 1000;
      await script.claim("bob:1");
    },
    foundBy: "both",
  },
};

describe.each(FAULTS)("a ledger with the fault %s", (fault) => {
  const { play, foundBy } = CONTROLS[fault];

  test("is found out", async () => {
    const found = await judge(fault, play);
    if (foundBy !== "invariants") expect(found.linearizable).not.toBe("linearizable");
    if (foundBy !== "checker") expect(found.violations).not.toEqual([]);
  });

  test("and core's ledger is right in the same interleaving", async () => {
    const found = await judge(null, play);
    expect(found.linearizable).toBe("linearizable");
    expect(found.violations).toEqual([]);
  });
});
