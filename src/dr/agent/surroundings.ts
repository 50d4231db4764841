import { execFile } from "node:child_process";
import { statfsSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { promisify } from "node:util";
import type { Millis } from "@alai/core";
import type { Host, StorageSpec } from "../manifest/model.ts";
import type { OtherClock, Volume } from "../watchdogs/watched.ts";

const run = promisify(execFile);
const PATIENCE: Millis = 3000;
/** A Date header has whole seconds, cut off. */
const STEP: Millis = 1000;

/** The volumes of the host's folders, each once; a folder that is not there yet has none. */
export function volumesOf({ databases, state }: Host): readonly Volume[] {
  const volumes = new Map<string, Volume>();
  for (const path of [databases, state]) {
    try {
      const { bavail, blocks, bsize, type } = statfsSync(path);
      volumes.set(`${type} ${blocks} ${bavail}`, { path, free: bavail * bsize, size: blocks * bsize });
    } catch {
      // The watchdog of what is in it speaks up.
    }
  }
  return [...volumes.values()];
}

/**
 * The clock of storage, by the Date header of any answer at all: nothing is asked for and no credential is sent. Null for a folder,
 * and when nobody answers.
 */
export async function storageClock(spec: StorageSpec, clock: () => Millis): Promise<OtherClock | null> {
  const url = addressOf(spec);
  if (url === null) return null;
  const sent = clock();
  const date = await dateOf(url);
  const back = clock();
  if (date === null) return null;
  const here = (sent + back) / 2;
  return { whose: "storage", ahead: date + STEP / 2 - here, give: (back - sent) / 2 + STEP / 2 };
}

function addressOf(spec: StorageSpec): URL | null {
  if (spec.type === "file") return null;
  const usual =
    spec.type === "azure" ? `https://${spec.account}.blob.core.windows.net` : `https://s3.${spec.region}.amazonaws.com`;
  return URL.parse(spec.endpoint ?? usual);
}

function dateOf(url: URL): Promise<Millis | null> {
  const request = url.protocol === "https:" ? tlsRequest : plainRequest;
  return new Promise((resolve) => {
    const asked = request(url, { method: "HEAD", timeout: PATIENCE }, (answer) => {
      answer.resume();
      const date = Date.parse(answer.headers.date ?? "");
      resolve(Number.isNaN(date) ? null : date);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(null));
    asked.end();
  });
}

/** Where a database's header has the version of the SQLite that last wrote its first page. */
const VERSION_AT = 96;
const HEADER = 100;

/**
 * The SQLite of the last connection that changed a database's first page: what made it larger or changed a table. Others that write
 * it leave no trace, so this finds an unsafe one and never proves that there is none. Read by a process of its own: were the file
 * opened and closed in this one, the system would drop the locks that SQLite holds on it here. Null when it cannot be read.
 */
export async function lastWriter(file: string): Promise<string | null> {
  try {
    const { stdout } = await run("head", ["-c", String(HEADER), file], { encoding: "buffer", timeout: PATIENCE });
    return versionIn(stdout);
  } catch {
    return null;
  }
}

/** `3051003` in the header is 3.51.3. */
export function versionIn(header: Uint8Array): string | null {
  if (header.length < HEADER || Buffer.from(header.subarray(0, 15)).toString("latin1") !== "SQLite format 3")
    return null;
  const number = new DataView(header.buffer, header.byteOffset).getUint32(VERSION_AT);
  if (number < 3_000_000 || number >= 4_000_000) return null;
  return `${Math.floor(number / 1e6)}.${Math.floor(number / 1000) % 1000}.${number % 1000}`;
}
