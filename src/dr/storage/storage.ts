import type { Millis } from "@alai/core";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** One object in storage. */
export interface Blob {
  /** Without the storage's prefix, `/` between its parts. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly modified: Millis;
  /** The time in an LTX file's header where the listing has it (`litestreamtimestamp`), else null. */
  readonly stamp: Millis | null;
}

/** An object as it was read. */
export interface Contents {
  readonly body: Uint8Array;
  readonly etag: string;
  /** When it was last written, by storage's clock; null: storage does not say. */
  readonly modified: Millis | null;
}

/** What was asked of storage since the process began; each page of a listing is one. */
export interface Operations {
  list: number;
  read: number;
  write: number;
  remove: number;
}

/** A write that must not replace what another wrote: `etag` null means that nothing may be there. */
export interface Condition {
  readonly etag: string | null;
}

/**
 * Where replicas live: Azure Blob, S3 or a folder. Every call ends by itself, and fails with `StorageError` alone: an answer, or
 * the next page of a listing, must begin within the deadline (10 s), and then never be silent for longer, nor slower than
 * 64 KiB/s on the whole. Secrets come from the environment or the keychain and are in no message.
 */
export interface Storage {
  /** For people: type and place, no secret. */
  readonly label: string;
  readonly operations: Readonly<Operations>;
  /** Everything below `prefix`, flat, in the order of keys. */
  list(prefix: string): Promise<readonly Blob[]>;
  /** For what fits into memory. Throws `missing` when it is not there. */
  read(key: string): Promise<Contents>;
  /**
   * As `read`, piece by piece in order, for what is larger than memory should be. Throws while it is read; nothing is asked
   * before the first piece is, and a connection that breaks half-way is not mended.
   */
  stream(key: string): AsyncIterable<Uint8Array>;
  /** @returns the new ETag. Throws `conflict` when the condition does not hold. */
  write(key: string, body: Uint8Array, condition?: Condition): Promise<string>;
  /** No error when it is not there. */
  remove(key: string): Promise<void>;
  close(): void;
}

/**
 * `refused`: credentials or rights (401, 403). `missing`: 404. `conflict`: a condition did not hold. `full`: no space or
 * quota. `slow`: no answer within the deadline, or told to ask less often (429, 503). `unreachable`: no connection.
 * `failed`: anything else the service says; that the container, bucket or folder itself is not there, above all, which
 * must not look as if a key were missing.
 */
export type StorageTrouble = "refused" | "missing" | "conflict" | "full" | "slow" | "unreachable" | "failed";

/** Exit 69, save `missing` (3), `conflict` (1), and credentials that are refused (4): a folder that is, needs none. */
export class StorageError extends Exit {
  readonly trouble: StorageTrouble;

  constructor(trouble: StorageTrouble, message: string, hint?: string, { isSignIn = false } = {}) {
    const exit = trouble === "missing" ? EXIT.notFound : trouble === "conflict" ? EXIT.refused : EXIT.unavailable;
    super(isSignIn ? EXIT.signIn : exit, `storage_${trouble}`, message, hint);
    this.name = "StorageError";
    this.trouble = trouble;
  }
}
