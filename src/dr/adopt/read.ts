import { basename } from "node:path";
import { BadInput } from "@alai/core";
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar, type YAMLMap } from "yaml";
import type { Env } from "../../kit/env.ts";
import { usage } from "../../kit/errors.ts";
import { duration } from "../../kit/values.ts";
import { IGNORED, KNOWN, NOT_TAKEN, type Place, REVIVED, SECRET } from "./keys.ts";

/** A database of the old config with its one replica; texts as they stand there. */
export interface OldDatabase {
  readonly line: number;
  readonly path: string;
  /** Of its own or of the whole file, as 0.5 has them: `interval` and `retention`. */
  readonly snapshot: Readonly<Record<string, string>>;
  /** Keys and values of the replica, with those at the top that it inherits. */
  readonly replica: Readonly<Record<string, string>>;
}

/**
 * `ignored`: without effect in 0.5, and not in the manifest. `revived`: without effect in 0.5, and in the manifest, by which it will
 * have one. `not-taken`: 0.5 does it, the manifest does not say it. `guessed`: the manifest says it, the config did not.
 */
export type RemarkKind = "ignored" | "revived" | "unknown" | "secret" | "not-taken" | "guessed";

/** What 0.5 does not do as it stands, or what does not go into the manifest. */
export interface Remark {
  readonly kind: RemarkKind;
  /** `replica.retention`; of a guess the key of the manifest, `hosts.os`. */
  readonly key: string;
  /** None: the file says nothing of it. */
  readonly lines: number[];
  /** A sentence. */
  readonly detail: string;
}

export interface OldConfig {
  readonly databases: readonly OldDatabase[];
  readonly remarks: readonly Remark[];
}

/** Reads a config as Litestream does, passing over what it does not know, but telling of it. Throws a usage error for no YAML. */
export function readOldConfig(text: string, file: string, env: Env = {}): OldConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: "1.1" });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw usage(`${file}:${line}:${col}: This is not YAML: ${error.message}.`, "Name a litestream.yml.");
  }
  const reader = new Reader(lines, env);
  const databases = isMap(document.contents) ? reader.databases(document.contents) : [];
  const [unset] = reader.unset;
  if (unset)
    throw usage(
      `${file}:${unset[1]}: Litestream puts the value of ${unset[0]} there, and ${[...reader.unset.keys()].join(", ")} ${reader.unset.size === 1 ? "is" : "are"} not set here.`,
      `Type for example: ${unset[0]}=VALUE alai dr adopt ${basename(file)}, with the values that Litestream's own environment has.`,
    );
  if (databases.length === 0)
    throw usage(`${file} names no database by its path.`, "Name a litestream.yml with dbs: in it.");
  return { databases, remarks: [...reader.remarks.values()] };
}

class Reader {
  readonly remarks = new Map<string, Remark>();
  readonly #lines: LineCounter;
  /** Of the whole file, as 0.5 has it. */
  #snapshot: Readonly<Record<string, string>> = {};

  /** Variables of the environment that are named and not set, with the first line. */
  readonly unset = new Map<string, number>();
  readonly #env: Env;

  constructor(lines: LineCounter, env: Env) {
    this.#lines = lines;
    this.#env = env;
  }

  databases(top: YAMLMap): OldDatabase[] {
    this.#snapshot = this.#plainValues(top.get("snapshot", true));
    const whole = this.#values(top, "global");
    const dbs = top.get("dbs", true);
    return (isSeq(dbs) ? dbs.items : []).flatMap((item) => (isMap(item) ? this.#database(item, whole) : []));
  }

  #database(map: YAMLMap, inherited: Readonly<Record<string, string>>): OldDatabase[] {
    const { path } = this.#values(map, "database");
    const list = map.get("replicas", true);
    const replicas = (isSeq(list) ? list.items : [map.get("replica", true)]).filter((one) => isMap(one));
    const line = this.#line(map);
    if (path === undefined) {
      this.#remark("not-taken", "dbs.dir", line, "Databases by folder and pattern: name each in the manifest.");
      return [];
    }
    if (replicas.length > 1)
      this.#remark(
        "not-taken",
        "dbs.replicas",
        line,
        "0.5 takes one replica a database and ends at a second; the first is taken.",
      );
    const [first] = replicas.map((replica) => this.#values(replica, "replica"));
    // 0.5 passes over a database's own where the whole file says it.
    const snapshot = { ...this.#plainValues(map.get("snapshot", true)), ...this.#snapshot };
    return [{ line, path, snapshot, replica: { ...inherited, ...first } }];
  }

  #plainValues(node: unknown): Record<string, string> {
    const values: Record<string, string> = {};
    for (const { key, value } of isMap(node) ? node.items : [])
      if (isScalar(key) && isScalar(value)) values[String(key.value)] = this.#expanded(value);
    return values;
  }

  /** As Litestream has it, unless it is told -no-expand-env: variables of the environment by their values. */
  #expanded(value: Scalar): string {
    const raw = String(value.source ?? value.value);
    return raw.replaceAll(/\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g, (whole, braced, bare) => {
      const name: string = braced ?? bare;
      const found = this.#env[name];
      if (found === undefined && !this.unset.has(name)) this.unset.set(name, this.#line(value));
      return found ?? whole;
    });
  }

  /** A map's single values; remarks on what 0.5 does not take as it stands. */
  #values(map: YAMLMap, place: Place): Record<string, string> {
    const values: Record<string, string> = {};
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? String(key.value) : "";
      const raw = isScalar(value) && !SECRET.has(name) ? this.#expanded(value) : undefined;
      this.#look(place, name, raw, this.#line(key as Node));
      if (raw !== undefined) values[name] = raw;
    }
    return values;
  }

  #look(place: Place, name: string, raw: string | undefined, line: number): void {
    const key = place === "global" ? name : `${place}.${name}`;
    const instead = IGNORED[place][name];
    const revived = place === "replica" ? REVIVED[name] : undefined;
    if (instead !== undefined) this.#remark("ignored", key, line, `${instead}.`);
    else if (revived) this.#lookAtOld(key, revived, raw, line);
    else if (place === "replica" && NOT_TAKEN[name] !== undefined)
      this.#remark("not-taken", key, line, `${NOT_TAKEN[name]}.`);
    else if (!KNOWN[place].has(name)) this.#remark("unknown", key, line, "0.5 does not know it and passes over it.");
    else if (SECRET.has(name))
      this.#remark("secret", key, line, "It is not copied: credentials belong in the environment or the keychain.");
    else if (place !== "replica" && !TAKEN.has(name))
      this.#remark("not-taken", key, line, "alai sets it itself in the configs that it renders.");
  }

  /** A key of 0.3, which has had no effect since. */
  #lookAtOld(key: string, { today, key: own }: (typeof REVIVED)[string], raw: string | undefined, line: number): void {
    const passed = `0.5 passes over it where it stands: today ${today}, whatever it says`;
    if (this.#snapshot[own === "retention" ? "retention" : "interval"] !== undefined)
      this.#remark("ignored", key, line, "0.5 passes over it: what stands in snapshot holds, and is in the manifest.");
    else if (raw === undefined || millisOf(raw) === null)
      this.#remark("ignored", key, line, `${passed}; and it is no length of time, so the manifest has 24h.`);
    else {
      const then = `The manifest has it as ${own} of a tier: in what alai renders from that it holds.`;
      this.#remark("revived", key, line, `${passed}. ${then}`);
    }
  }

  #remark(kind: Remark["kind"], key: string, line: number, detail: string): void {
    const before = this.remarks.get(`${key} ${detail}`);
    if (before) before.lines.push(line);
    else this.remarks.set(`${key} ${detail}`, { kind, key, lines: [line], detail });
  }

  #line(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }
}

/** Keys outside of replicas that the manifest is made from. */
const TAKEN = new Set([
  "dbs",
  "path",
  "replica",
  "replicas",
  "type",
  "bucket",
  "endpoint",
  "region",
  "account-name",
  "sync-interval",
  // Said once, of the folder.
  "dir",
  "pattern",
  "recursive",
  "watch",
  "snapshot",
]);

/** Milliseconds of a length of time as Go writes it, `1h30m0s`; null for anything else. */
export function millisOf(raw: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/.test(raw)) return null;
  try {
    return (raw.match(/\d+(?:\.\d+)?(?:ms|[smhdw])/g) ?? []).reduce((sum, part) => sum + duration(part), 0);
  } catch (error) {
    if (error instanceof BadInput) return null;
    throw error;
  }
}
