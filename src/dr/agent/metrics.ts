import type { DatabaseReport, Head, HostReport } from "../report.ts";

interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number | null])[];
}

/** What the process itself uses, and has asked of storage. */
export interface Usage {
  /** Resident memory, bytes. */
  readonly memory: number;
  readonly operations: Readonly<Record<string, number>>;
}

/** A report in Prometheus's text form. What is unknown is left out: a 0 would be a claim. */
export function toMetrics(report: HostReport, usage: Usage): string {
  return [...hostMetrics(report, usage), ...databaseMetrics(report)].map(toText).join("");
}

function hostMetrics(report: HostReport, { memory, operations }: Usage): Metric[] {
  const { children, alarms, epoch, listedAt, startedAt, storageTrouble, version, role } = report;
  return [
    gauge("info", "1; the labels tell what runs.", [[{ version, role, host: report.host }, 1]]),
    gauge("epoch", "The promotion epoch.", [[{}, epoch]]),
    gauge("start_time_seconds", "When the agent was started.", [[{}, startedAt / 1000]]),
    gauge("memory_bytes", "Resident memory of the agent.", [[{}, memory]]),
    gauge("storage_listed_seconds", "When storage was last listed whole.", [[{}, seconds(listedAt)]]),
    gauge("storage_trouble", "1 while storage refuses or is silent.", [[{}, storageTrouble ? 1 : 0]]),
    {
      ...counted("storage_operations_total", "What the agent has asked of storage."),
      values: Object.entries(operations).map(([operation, count]) => [{ operation }, count]),
    },
    gauge(
      "child_up",
      "1 while the Litestream runs.",
      children.map(({ name, pid }) => [{ child: name }, pid === null ? 0 : 1]),
    ),
    {
      ...counted("child_restarts_total", "How often it was started anew."),
      values: children.map(({ name, restarts }) => [{ child: name }, restarts]),
    },
    gauge(
      "alarm",
      "1 for each alarm that has not been calmed.",
      alarms.map(({ kind, subject }) => [{ kind, subject }, 1]),
    ),
  ];
}

const HEADS = ["committed", "shipped", "applied", "published"] as const;

function databaseMetrics({ databases }: HostReport): Metric[] {
  const each = (read: (head: Head) => number | null) =>
    databases.flatMap((database) =>
      HEADS.map((head) => [{ database: database.name, head }, headValue(database, head, read)] as const),
    );
  return [
    gauge(
      "head_txid",
      "How far a head is, in Litestream's batches.",
      each(({ txid }) => txid),
    ),
    gauge(
      "head_time_seconds",
      "The newest moment whose commits a head has.",
      each(({ time }) => seconds(time)),
    ),
    gauge(
      "heartbeat_seconds",
      "The newest heartbeat in a head.",
      each(({ beat }) => seconds(beat?.at ?? null)),
    ),
    gauge(
      "database_ok",
      "1 when the file is there and can be read.",
      databases.map(({ name, state }) => [{ database: name, state }, state === "ok" ? 1 : 0]),
    ),
    {
      ...counted("reseeds_total", "How often the copy was restored anew."),
      values: databases.map(({ name, reseeds }) => [{ database: name }, reseeds]),
    },
  ];
}

function headValue(
  database: DatabaseReport,
  head: (typeof HEADS)[number],
  read: (head: Head) => number | null,
): number | null {
  const found = database[head];
  return found ? read(found) : null;
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}

function gauge(name: string, help: string, values: Metric["values"]): Metric {
  return { name: `alai_dr_${name}`, type: "gauge", help, values };
}

function counted(name: string, help: string): Omit<Metric, "values"> {
  return { name: `alai_dr_${name}`, type: "counter", help };
}

function toText({ name, type, help, values }: Metric): string {
  const lines = values.flatMap(([labels, value]) => (value === null ? [] : [`${name}${labelText(labels)} ${value}\n`]));
  return lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Prometheus's own rules for values of labels. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
