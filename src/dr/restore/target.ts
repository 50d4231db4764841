import { type Millis, toIso } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { span } from "../../kit/when.ts";
import { hexTxid, type LtxFile, newestTxid } from "../ltx/name.ts";
import { LtxHole, planAt, planTo, reachable } from "../ltx/plan.ts";

/** To which moment: the newest, unless told. */
export interface Wish {
  readonly at?: Millis | undefined;
  readonly txid?: number | undefined;
}

/** What will be restored. */
export interface Target {
  readonly files: readonly LtxFile[];
  readonly txid: number;
  /** What the caller must be told: not exactly what was asked for. */
  readonly warning: string | null;
}

/** The files that make a database as it was. Throws `LtxHole`, or Exit 3 where there is no such moment. */
export function chooseTarget(name: string, files: readonly LtxFile[], wish: Wish): Target {
  if (wish.txid !== undefined) return exactly(name, files, wish.txid);
  if (wish.at !== undefined) return asOf(name, files, wish.at);
  return newest(name, files);
}

function newest(name: string, files: readonly LtxFile[]): Target {
  const plan = planTo(files, 0, newestTxid(files));
  if (plan.kind === "hole") throw new LtxHole(name, plan);
  return { files: plan.files, txid: plan.txid, warning: null };
}

function exactly(name: string, files: readonly LtxFile[], txid: number): Target {
  const plan = planTo(files, 0, txid);
  if (plan.kind === "way" && txid > 0) return { files: plan.files, txid, warning: null };
  const there = reachable(files).map(({ max }) => max);
  const below = there.filter((other) => other < txid).at(-1);
  const above = there.find((other) => other > txid);
  const why =
    above === undefined
      ? `storage goes to ${hexTxid(newestTxid(files))}`
      : "single ones are kept for minutes, then put together";
  const near = [below, above].filter((other) => other !== undefined).map(hexTxid);
  throw new Exit(
    EXIT.notFound,
    "no_such_moment",
    `${name} cannot be restored to transaction ${hexTxid(txid)} exactly: ${why}.`,
    near.length > 0
      ? `The nearest that can be restored: ${near.join(" and ")}.`
      : new LtxHole(name, { after: 0, next: null }).hint,
  );
}

function asOf(name: string, files: readonly LtxFile[], at: Millis): Target {
  const moments = reachable(files);
  const [first] = moments;
  const last = moments.at(-1);
  if (!first || !last) throw new LtxHole(name, { after: 0, next: null });
  const plan = planAt(files, at);
  if (plan.kind === "hole") throw tooOld(name, at, { from: first.time, to: last.time });
  if (at > last.time) {
    const whole = newest(name, files);
    const warning = `The newest that storage has of ${name} is of ${toIso(last.time)}, ${span(at - last.time)} before the time asked for: that was restored.`;
    return { ...whole, warning };
  }
  const goesOn = files.some(({ min, max }) => min <= plan.txid + 1 && max > plan.txid);
  const warning = goesOn
    ? null
    : `What was changed after this and up to the time asked for is missing in storage: ${name} has a hole there.`;
  return { files: plan.files, txid: plan.txid, warning: plan.txid === last.max ? null : warning };
}

function tooOld(name: string, at: Millis, { from, to }: { readonly from: Millis; readonly to: Millis }): Exit {
  return new Exit(
    EXIT.notFound,
    "no_such_moment",
    `${name} cannot be restored to ${toIso(at)}: storage has it from ${toIso(from)} to ${toIso(to)}.`,
    `Type a time of that range, for example --at ${toIso(from)}; --epoch N reads another epoch.`,
  );
}
