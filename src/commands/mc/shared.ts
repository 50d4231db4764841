import { type Caller, DEFAULT_TTL, type Millis, Refusal, type Task } from "@alai/core";
import { type Context, isEnforced } from "../../kit/context.ts";
import { usage } from "../../kit/errors.ts";
import { taskId, ttl, ttlMinutes, wholeNumber } from "../../kit/values.ts";

/** Arguments and flags that several verbs share. */

export const IDS = [{ name: "id", summary: "task ids", variadic: true, parse: taskId }] as const;
export const ID = { name: "id", summary: "a task id", parse: taskId } as const;

export const TTL_FLAGS = {
  ttl: { value: "TIME", summary: "how long the lease lasts, 1s to 24h: 90s, 10m, 2h", parse: ttl },
  ttlMinutes: { value: "N", summary: "the same in minutes", parse: ttlMinutes },
} as const;

export const FENCE_FLAG = {
  fence: { value: "N", summary: "refuse unless this is still the newest claim", parse: wholeNumber("fence", 1) },
} as const;

export const OFFLINE_FLAG = {
  offline: { summary: "read the local mirror of the server, and say how old it is" },
} as const;

/** The length of lease asked for, or null. */
export function askedTtl(flags: { ttl: Millis | undefined; ttlMinutes: Millis | undefined }): Millis | null {
  if (flags.ttl !== undefined && flags.ttlMinutes !== undefined)
    throw usage("--ttl and --ttl-minutes say the same thing.", "Leave one of them out.");
  return flags.ttl ?? flags.ttlMinutes ?? null;
}

/** The length of lease asked for, or the settings', or ten minutes. */
export function leaseTtl(context: Context, flags: { ttl: Millis | undefined; ttlMinutes: Millis | undefined }): Millis {
  const setting = context.settings().get("mc.ttl");
  return askedTtl(flags) ?? (typeof setting === "string" ? ttl(setting) : DEFAULT_TTL);
}

/** Who changes these tasks, and under which fence: the flag's, or the one `mc run` put into the environment. */
export function callerFor(context: Context, ids: readonly number[], fence?: number): Caller {
  if (fence !== undefined && ids.length > 1) throw usage("--fence belongs to one task.", "Name one id.");
  const caller = context.caller(ids.length === 1 ? ids[0] : undefined);
  return fence === undefined ? caller : { ...caller, fence };
}

/**
 * Runs a lease verb. With `MC_LEASE_ENFORCE=0` a refusal is a warning and the verb a success that changed nothing:
 * the documented rollback, which must not touch the lease of another.
 */
export async function enforced<T>(context: Context, verb: () => Promise<T[]>): Promise<T[]> {
  try {
    return await verb();
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === "not_found" || isEnforced(context.env)) throw error;
    context.warn(`not enforced (MC_LEASE_ENFORCE=0): ${error.message}`);
    return [];
  }
}

/** Fields to read for the output that is asked for. */
export function wantedFields(context: Context, lines: readonly (keyof Task)[]): readonly (keyof Task)[] | undefined {
  const { json } = context.flags;
  if (!json) return lines;
  return json.length === 0 ? undefined : ["id", ...(json as (keyof Task)[])];
}
