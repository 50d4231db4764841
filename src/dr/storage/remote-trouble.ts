import type { Millis } from "@alai/core";
import type { Arriving } from "../../kit/http/exchange.ts";
import type { NoAnswer } from "../../kit/http.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { StorageError } from "./storage.ts";
import { conflict, missing, slow } from "./trouble.ts";

/** What a service is to messages and to the reader of its errors. */
export interface Service {
  /** What the storage calls itself. */
  readonly label: string;
  /** Codes by which it says that a condition did not hold; else the status 412 says so. */
  readonly conflicts: ReadonlySet<string>;
  /** Codes by which it says that the container or bucket is not there, and what that is called. */
  readonly gone: ReadonlySet<string>;
  readonly holder: string;
  /** What to do about credentials that are refused. */
  readonly hint: string;
}

/** An answer that is no success. @param text the beginning of its body. */
export function answered(service: Service, answer: Arriving, text: string, key: string): StorageError {
  const { label } = service;
  const { status } = answer;
  const code = codeOf(answer, text);
  const said = code === "" ? `${status}` : `${status} ${code}`;
  if (service.gone.has(code))
    return new StorageError("failed", `The ${service.holder} of ${label} is not there (${said}).`, service.hint);
  if (status === 412 || service.conflicts.has(code)) return conflict(label, key);
  if (status === 404 && key !== "") return missing(label, key);
  if (status === 401 || status === 403)
    return new StorageError("refused", `${label} refuses these credentials (${said}).`, service.hint, {
      isSignIn: true,
    });
  if (status === 507) return new StorageError("full", `${label} has no room left (${said}).`);
  if (status === 429 || status === 503) return new StorageError("slow", `${label} asks for fewer requests (${said}).`);
  return new StorageError("failed", `${label} answered ${said}.`);
}

function codeOf({ headers }: Arriving, text: string): string {
  const code = headers["x-ms-error-code"] ?? /<Code>([^<]{1,80})<\/Code>/.exec(text)?.[1] ?? "";
  return truncate(oneLine(code), 80);
}

export function noAnswer({ label }: Service, error: NoAnswer, deadline: Millis): StorageError {
  if (error.kind === "timeout") return slow(label, deadline);
  if (error.kind === "interrupted") return new StorageError("failed", `What was asked of ${label} was given up.`);
  return new StorageError("unreachable", `${label} cannot be reached: ${error.message}.`);
}
