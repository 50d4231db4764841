import type { Context } from "../../kit/context.ts";
import type { Manifest } from "../manifest/model.ts";
import { collect } from "../status/collect.ts";
import { DAY, type Requests } from "./model.ts";

/** What an agent has asked of storage itself, a day; Litestream's requests are not in it. */
export interface Measured {
  readonly host: string;
  readonly perDay: Requests;
  /** Over how long that was counted, ms. */
  readonly over: number;
}

/** Less than this says little of a day. */
const LEAST = 60_000;

/** Counts of the agents that answer, and have run for a minute. */
export async function measure(context: Context, manifest: Manifest): Promise<readonly Measured[]> {
  const { hosts } = await collect(context, manifest);
  return hosts.flatMap(({ host, answered }) => {
    const { at = 0, startedAt = 0, operations } = answered?.value ?? {};
    const over = at - startedAt;
    if (!operations || over < LEAST) return [];
    const perDay = (count: number) => (count * DAY) / over;
    const { write, list, read } = operations;
    return [{ host: host.name, over, perDay: { write: perDay(write), list: perDay(list), read: perDay(read) } }];
  });
}
