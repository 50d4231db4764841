import { setTimeout as sleep } from "node:timers/promises";
import { parseHolder } from "../../core/src/holder.ts";
import { SqliteLedger } from "../../core/src/sqlite/ledger.ts";
import { appendLine } from "./history.ts";
import { Recorder, type Request } from "./record.ts";

/** A client process that does what its parent tells it, one request a message, and answers with the outcome. */
export interface Order {
  readonly request: Request;
  /** Wall clock time at which to do it. */
  readonly at?: number;
}

const [file = "", out = "", holder = "", dieAt = ""] = process.argv.slice(2);
const failpoint = (point: string) => {
  if (point === dieAt) process.kill(process.pid, "SIGKILL");
};
const ledger = await SqliteLedger.open(file, { missing: "create", failpoint });
const recorder = new Recorder(ledger, parseHolder(holder), Date.now, (line) => appendLine(out, line));

process.on("message", async ({ request, at = 0 }: Order) => {
  await sleep(Math.max(0, at - Date.now() - 20));
  while (Date.now() < at) {
    // Spin: a timer is not exact enough to make many of these collide.
  }
  process.send?.({ outcome: await recorder.run(request) });
});
process.once("disconnect", () => ledger.close());
process.send?.({ outcome: null });
