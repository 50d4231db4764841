import type { Millis } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import type { StorageSpec } from "../manifest/model.ts";
import type { Storage } from "./storage.ts";

/** When a call is given up: the beginning of its answer, or a silence in it. */
const DEADLINE: Millis = 10_000;

export interface StorageOptions {
  readonly deadline?: Millis | undefined;
  /** Keys to a page of a listing; absent: as many as the service gives, 5,000 of Azure and 1,000 of S3. */
  readonly pageSize?: number | undefined;
}

/**
 * Opens storage as the manifest says; nothing is asked of it yet. Credentials: those that Litestream reads, of the environment,
 * else of the profile's sealed values. Throws Exit 4 where they are missing, naming what to set.
 */
export async function openStorage(
  context: Context,
  spec: StorageSpec,
  { deadline = DEADLINE, pageSize }: StorageOptions = {},
): Promise<Storage> {
  switch (spec.type) {
    case "file":
      return new (await import("./folder.ts")).FolderStorage(spec, deadline);
    case "azure":
      return (await import("./azure/open.ts")).openAzure(context, spec, { deadline, pageSize });
    case "s3":
      return (await import("./s3/open.ts")).openS3(context, spec, { deadline, pageSize });
  }
}
