import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorageSpec } from "../../../src/dr/manifest/model.ts";
import { openStorage, type StorageOptions } from "../../../src/dr/storage/open.ts";
import type { Storage } from "../../../src/dr/storage/storage.ts";
import { fakeWorld } from "../../client/world.ts";
import { ACCOUNT, AZURITE_ENV, Azurite } from "../azurite.ts";
import type { Gate } from "../gate.ts";
import { REGION, S3_ENV, S3Double } from "../s3.ts";

/** One kind of storage to test, of which empty ones are to be had. */
export interface Kind {
  /** Null for a folder. */
  readonly gate: Gate | null;
  readonly env: Readonly<Record<string, string>>;
  /** A container, bucket or folder of its own. */
  spec(prefix?: string): Promise<StorageSpec>;
  stop(): Promise<void>;
}

export type KindName = "a folder" | "Azure" | "S3";

let count = 0;

/** A folder, a real Azurite, or the double of S3. */
export async function startKind(name: KindName): Promise<Kind> {
  if (name === "a folder") return folderKind();
  return name === "Azure" ? azureKind(await Azurite.start()) : s3Kind(await S3Double.start());
}

/** @param env in place of the kind's own credentials. */
export function openAt(kind: Kind, spec: StorageSpec, options?: StorageOptions, env = kind.env): Promise<Storage> {
  return openStorage(fakeWorld(env).context, spec, options);
}

export async function openNew(kind: Kind, prefix = "", options?: StorageOptions): Promise<Storage> {
  return openAt(kind, await kind.spec(prefix), options);
}

function folderKind(): Kind {
  const top = mkdtempSync(join(tmpdir(), "alai-storage-"));
  return {
    gate: null,
    env: {},
    async spec(prefix = "") {
      const path = join(top, `${++count}`);
      mkdirSync(path);
      return { type: "file", path, prefix };
    },
    stop: async () => rmSync(top, { recursive: true, force: true }),
  };
}

function azureKind(azurite: Azurite): Kind {
  return {
    gate: azurite.gate,
    env: AZURITE_ENV,
    async spec(prefix = "") {
      const container = `kind-${++count}`;
      await azurite.createContainer(container);
      return { type: "azure", account: ACCOUNT, container, endpoint: azurite.endpoint, prefix };
    },
    stop: () => azurite[Symbol.asyncDispose](),
  };
}

function s3Kind(double: S3Double): Kind {
  return {
    gate: double.gate,
    env: S3_ENV,
    async spec(prefix = "") {
      const bucket = `kind-${++count}`;
      double.createBucket(bucket);
      return { type: "s3", bucket, region: REGION, endpoint: double.endpoint, prefix };
    },
    stop: () => double[Symbol.asyncDispose](),
  };
}
