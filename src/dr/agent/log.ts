import { hasControl } from "../../kit/text.ts";

export type LogLevel = "info" | "warn" | "error";

/** What a line tells beside its sentence. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** The agent's log: one JSON line for each thing that happened, with the same first fields as the companion server's. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/**
 * @param write takes whole lines. Nothing that is secret may be given to it: fields are names, numbers and sentences of our own.
 */
export function createLog(write: (line: string) => void, version: string, clock: () => number): Log {
  const say =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      const timestamp = new Date(clock()).toISOString();
      write(`${JSON.stringify({ level, timestamp, service: "alai-host-agent", version, ...fields, message })}\n`);
    };
  return { info: say("info"), warn: say("warn"), error: say("error") };
}

/** An error as one line for logs and reports. */
export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return hasControl(text) ? text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim() : text;
}
