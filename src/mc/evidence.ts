import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Evidence } from "@alai/core";
import { usage } from "../kit/errors.ts";
import { oneLine } from "../kit/text.ts";

/** Hashes files. Paths are recorded absolute, so that they mean the same from everywhere. Throws a usage error. */
export async function readEvidence(paths: readonly string[], cwd: string): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for (const path of paths) found.push(await hashFile(resolve(cwd, path)));
  return found;
}

async function hashFile(path: string): Promise<Evidence> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile())
    throw usage(
      `The evidence ${oneLine(path)} is ${stat ? "not a file" : "not there"}.`,
      "Name files that exist: --evidence FILE",
    );
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { path, sha256: hash.digest("hex"), size };
}
