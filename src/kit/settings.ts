import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BadInput, validHolder } from "@alai/core";
import { checkedServer } from "../secrets/server-address.ts";
import { Exit, usage } from "./errors.ts";
import { EXIT } from "./exit.ts";
import { oneLine, truncate } from "./text.ts";
import { duration, serverUrl, ttl } from "./values.ts";

/** One setting: what it means, how its text is read, and which variable wins over it. */
export interface Setting {
  readonly key: string;
  readonly summary: string;
  /** Checks a value given as text and gives what is kept. Throws a usage error. */
  readonly parse: (raw: string) => string | boolean;
  readonly fallback: string | boolean | null;
  readonly env?: string;
}

function boolean(raw: string): boolean {
  if (["true", "yes", "on", "1"].includes(raw.toLowerCase())) return true;
  if (["false", "no", "off", "0"].includes(raw.toLowerCase())) return false;
  throw usage(`"${truncate(raw, 40)}" is neither true nor false.`, "Type true or false.");
}

function pattern(raw: string): string {
  let groups = 0;
  try {
    groups = (new RegExp(`${raw}|`, "u").exec("")?.length ?? 1) - 1;
  } catch {
    throw usage(
      `"${truncate(raw, 40)}" is not a regular expression.`,
      "Type for example: alai config set hook.taskPattern 'TASK-(\\d+)'",
    );
  }
  if (groups === 1) return raw;
  throw usage(
    "The pattern needs exactly one group, which finds the task's number.",
    "Type for example: alai config set hook.taskPattern 'TASK-(\\d+)'",
  );
}

function checkedTtl(raw: string): string {
  ttl(raw);
  return raw;
}

function checkedDuration(raw: string): string {
  duration(raw);
  return raw;
}

const PROFILE = /^[a-z0-9][a-z0-9_-]{0,39}$/;

/** A profile's name, which is a file's too. Throws a usage error. */
export function profileName(raw: string): string {
  if (PROFILE.test(raw)) return raw;
  throw usage(
    `"${truncate(oneLine(raw), 40)}" is not a name of a profile.`,
    "A name has small letters, digits, - and _, at most 40.",
  );
}

function checkedUrl(raw: string): string {
  serverUrl(raw);
  return raw;
}

/** Every setting there is. */
export const SETTINGS: readonly Setting[] = [
  {
    key: "actor",
    summary: "who acts, when neither --actor nor ALAI_ACTOR says",
    parse: (raw) => validHolder(raw, "-").actor,
    fallback: null,
    env: "ALAI_ACTOR",
  },
  {
    key: "profile",
    summary: "which profile to sign in with, when neither --profile nor ALAI_PROFILE says",
    parse: profileName,
    fallback: null,
    env: "ALAI_PROFILE",
  },
  { key: "mc.db", summary: "the ledger's SQLite file", parse: (raw) => raw, fallback: null, env: "ALAI_MC_DB" },
  {
    key: "mc.url",
    summary: "the companion server",
    parse: checkedUrl,
    fallback: null,
    env: "ALAI_MC_URL",
  },
  {
    key: "mc.timeout",
    summary: "how long to wait for the server; when not set 10s, on a terminal 60s, 3s if nothing listens there",
    parse: checkedDuration,
    fallback: null,
    env: "ALAI_MC_TIMEOUT",
  },
  { key: "mc.ttl", summary: "how long a lease lasts when --ttl does not say", parse: checkedTtl, fallback: "10m" },
  { key: "mc.requireEvidence", summary: "refuse `mc done` without evidence", parse: boolean, fallback: false },
  { key: "mc.lockTimeout", summary: "how long to wait for a locked ledger", parse: checkedDuration, fallback: "10s" },
  {
    key: "secrets.server",
    summary: "the Bitwarden server that holds your secrets: us, eu, or the https address of your own",
    parse: checkedServer,
    fallback: null,
  },
  {
    key: "secrets.idle",
    summary: "how long the vault stays unlocked when it is not used",
    parse: checkedDuration,
    fallback: "8h",
  },
  {
    key: "dr.manifest",
    summary: "the manifest of the hosts and databases, when --manifest does not say",
    parse: (raw) => raw,
    fallback: null,
    env: "ALAI_DR_MANIFEST",
  },
  {
    key: "dr.litestream",
    summary: "the Litestream to run, instead of the one on PATH",
    parse: (raw) => raw,
    fallback: null,
    env: "ALAI_LITESTREAM",
  },
  {
    key: "hook.taskPattern",
    summary: "how a tool call names a task, beside `MC #123` and `mc 123`: a regular expression with one group",
    parse: pattern,
    fallback: null,
  },
];

export type SettingValue = string | boolean;

export function settingsFile(configDir: string): string {
  return join(configDir, "config.json");
}

export function findSetting(key: string): Setting {
  const found = SETTINGS.find((setting) => setting.key === key);
  if (found) return found;
  throw usage(
    `There is no setting "${truncate(key, 40)}".`,
    `Settings are: ${SETTINGS.map((setting) => setting.key).join(", ")}.`,
  );
}

/**
 * The values in the settings file, by key. Read directly: loading `conf` costs more than most commands take.
 * Throws (exit 64) for a file that is no JSON, an unknown key or a wrong value: a typo must not be passed over.
 */
export function readSettings(file: string): ReadonlyMap<string, SettingValue> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return new Map();
    throw new Exit(
      EXIT.unavailable,
      "unavailable",
      `The settings ${file} cannot be read.`,
      "Check the file's permissions.",
    );
  }
  return parseSettings(text, file);
}

/** Refuses a settings file that is not JSON or has an unknown key: not ours to repair. A wrong value may be just that. */
export function requireUsable(file: string): void {
  if (!existsSync(file)) return;
  for (const [key] of flatten(parseJson(readFileSync(file, "utf8"), file), "")) findSetting(key);
}

function parseJson(text: string, file: string): unknown {
  try {
    return text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw usage(`The settings file ${file} is not JSON.`, "Repair it in an editor; alai does not overwrite it.");
  }
}

function parseSettings(text: string, file: string): Map<string, SettingValue> {
  const json = parseJson(text, file);
  const values = new Map<string, SettingValue>();
  for (const [key, value] of flatten(json, "")) {
    const setting = findSetting(key);
    if (typeof value !== "string" && typeof value !== "boolean")
      throw usage(`The setting ${key} in ${file} is not a text or true/false.`);
    values.set(key, parseStored(setting, String(value), file));
  }
  return values;
}

/** A wrong value is said with the place where it stands. */
function parseStored(setting: Setting, value: string, file: string): SettingValue {
  try {
    return setting.parse(value);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    throw usage(
      `${setting.key} in ${file}: ${error.message}`,
      `Type alai config set ${setting.key} --unset, or correct the file.`,
    );
  }
}

function* flatten(value: unknown, prefix: string): Generator<[string, unknown]> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    yield [prefix, value];
    return;
  }
  for (const [key, inner] of Object.entries(value)) yield* flatten(inner, prefix ? `${prefix}.${key}` : key);
}
