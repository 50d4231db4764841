import type { Millis } from "@alai/core";
import type { StorageSpec } from "../manifest/model.ts";
import { type Storage, StorageError } from "../storage/storage.ts";

/** Between two signs of whoever writes. Each is a request that costs money, save in a folder. */
const INTERVALS: Readonly<Record<StorageSpec["type"], Millis>> = { azure: 60_000, s3: 60_000, file: 10_000 };

/** How often the agent of a primary writes its sign into a storage of this type. */
export function writerInterval(type: StorageSpec["type"]): Millis {
  return INTERVALS[type];
}

/** Where storage keeps which agent writes the replicas of an epoch. */
export function writerKey(epoch: number): string {
  return `_alai/writer-e${epoch}.json`;
}

/** What is in storage: one agent's last sign. */
export interface Sign {
  /** Of the agent, from its state file. */
  readonly id: string;
  /** Of this one writing; no two have the same. */
  readonly mark: string;
  /** Its name in the manifest, and the machine's own. */
  readonly host: string;
  readonly machine: string;
  /** How many it has written. */
  readonly count: number;
  readonly interval: Millis;
  /** By the clock of who wrote it: for people, never compared. */
  readonly at: Millis;
}

/** As it was read. */
export interface FoundSign {
  readonly sign: Sign;
  readonly etag: string;
}

/** The sign that storage has of an epoch; null: none. One that is not understood is somebody's all the same. Throws StorageError. */
export async function readSign(storage: Storage, epoch: number): Promise<FoundSign | null> {
  try {
    const { body, etag } = await storage.read(writerKey(epoch));
    return { sign: parsed(Buffer.from(body).toString("utf8")), etag };
  } catch (error) {
    if (error instanceof StorageError && error.trouble === "missing") return null;
    throw error;
  }
}

/** Writes over what has that ETag, null: over nothing. Throws StorageError. */
export async function writeSign(storage: Storage, epoch: number, sign: Sign, etag: string | null): Promise<FoundSign> {
  const text = Buffer.from(`${JSON.stringify(sign)}\n`);
  return { sign, etag: await storage.write(writerKey(epoch), text, { etag }) };
}

/** Who gave it, for people. */
export function giverOf({ host, machine, id }: Sign): string {
  return `the agent of ${host} on the machine ${machine || "that says no name"}, id ${id.slice(0, 8)}`;
}

/** When, by the clock of who gave it. */
export function timeOf({ at }: Sign): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "no time" : date.toISOString();
}

function parsed(text: string): Sign {
  const fields = fieldsOf(text);
  const word = (value: unknown) => (typeof value === "string" ? value : "");
  const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0);
  return {
    ...{ id: word(fields.id), mark: word(fields.mark) || text, host: word(fields.host) || "nobody knows what" },
    machine: word(fields.machine),
    ...{ count: number(fields.count), interval: number(fields.interval), at: number(fields.at) },
  };
}

function fieldsOf(text: string): Partial<Record<keyof Sign, unknown>> {
  try {
    return Object(JSON.parse(text)) as Partial<Record<keyof Sign, unknown>>;
  } catch {
    return {};
  }
}
