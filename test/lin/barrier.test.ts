import { expect, test } from "vitest";
import { check, explain } from "./checker.ts";
import { Clients } from "./clients.ts";
import type { Operation } from "./history.ts";
import { violations } from "./invariants.ts";

const RACERS = 64;

test("of 64 processes that claim one task at one moment one is granted it, and 63 are told who", {
  timeout: 300_000,
}, async () => {
  const clients = await Clients.open();
  try {
    const racers = await Promise.all(Array.from({ length: RACERS }, (_, i) => clients.start(`racer:s${i}`)));
    const at = Date.now() + 500;
    await Promise.all(racers.map((racer) => clients.run(racer, { kind: "claim", ttl: 60_000 }, at)));
    const history = clients.history();
    judge(history);
    expect(explain(check(history))).toBe("linearizable");
    expect(violations(clients.file, history)).toEqual([]);
  } finally {
    await clients.end();
  }
});

function judge(history: readonly Operation[]): void {
  const granted = history.filter((op) => op.outcome?.type === "granted");
  const held = history.filter((op) => op.outcome?.type === "refused" && op.outcome.code === "held");
  expect(granted).toHaveLength(1);
  expect(held).toHaveLength(RACERS - 1);
  const [winner] = granted;
  for (const { outcome } of held) expect(outcome).toMatchObject({ holder: winner?.holder, fence: 1 });
}
