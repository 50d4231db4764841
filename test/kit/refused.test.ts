import { monotonic } from "@alai/core/monotonic";
import { expect, test, vi } from "vitest";
import { command } from "../../src/commands/mc/list.ts";
import { commandHelp } from "../../src/kit/help.ts";
import { Http, NoAnswer } from "../../src/kit/http.ts";

/** Where nobody listens, the patience ends when it is said to. */

test("a refused connection is tried until its patience is over, and once more then", async () => {
  const exchange = {
    send: () => Promise.reject(Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })),
    close: () => {},
  };
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "hrtime"] });
  const all = Promise.all(
    Array.from({ length: 8 }, async () => {
      const http = new Http({ env: {}, timeout: 10_000, refused: 1200, exchange });
      const start = monotonic();
      const asked = http.ask({ method: "GET", url: new URL("http://127.0.0.1:9"), headers: {}, repeatable: true });
      await expect(asked).rejects.toThrow(NoAnswer);
      return monotonic() - start;
    }),
  );
  await vi.runAllTimersAsync();
  vi.useRealTimers();
  const took = await all;
  expect(Math.min(...took)).toBeGreaterThanOrEqual(1199);
  // A pause would be up to 800 ms by then.
  expect(Math.max(...took)).toBeLessThan(1210);
});

test("the help says all three", () => {
  expect(commandHelp(["mc", "list"], command).replaceAll(/\s+/g, " ")).toContain(
    "when not given 10s, 60s on a terminal, 3s if nothing listens there",
  );
});
