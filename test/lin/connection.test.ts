import { expect, test } from "vitest";
import { parseHolder } from "../../core/src/holder.ts";
import { SqliteLedger } from "../../core/src/sqlite/ledger.ts";
import { check, explain } from "./checker.ts";
import { type Kind, type Line, toOperations } from "./history.ts";
import { Random } from "./random.ts";
import { Recorder } from "./record.ts";

/** What a server does: many callers at once on one connection of one process. */
test("operations that overlap on one connection all get an answer, and are linearizable", async () => {
  const ledger = await SqliteLedger.open(":memory:", { missing: "empty" });
  await ledger.add([{ title: "One" }, { title: "Two" }], { actor: "lin", session: "setup" });
  const random = new Random(7);
  const kinds: readonly Kind[] = ["claim", "claim", "extend", "release", "done", "reopen", "status", "sweep"];
  const clients = Array.from({ length: 8 }, (_, i) => {
    const lines: Line[] = [];
    const recorder = new Recorder(ledger, parseHolder(`a${i >> 1}:s${i}`), Date.now, (line) => lines.push(line));
    return { recorder, lines };
  });
  for (let round = 0; round < 60; round += 1)
    await Promise.all(
      clients.map(({ recorder }) => {
        const kind = random.pick(kinds) ?? "claim";
        return recorder.run({ kind, task: kind === "sweep" ? 0 : random.between(1, 2), ttl: random.between(1, 20) });
      }),
    );
  ledger.close();
  const lines = clients.flatMap((client) => client.lines);
  expect(lines.filter((line) => line.type === "return" && line.error)).toEqual([]);
  const history = clients.flatMap((client) => toOperations(client.lines, [1, 2], Date.now()));
  expect(explain(check(history))).toBe("linearizable");
});
