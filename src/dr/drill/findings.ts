import type { Millis, Priority } from "@alai/core";
import type { Database } from "../manifest/model.ts";
import type { Finding, FindingKind, Verdict } from "./report.ts";

/** A finding before its weight is known. */
export interface FindingDraft extends Pick<Finding, "kind" | "subject" | "sentence" | "remedy"> {
  /** Absent: of the drill as a whole. */
  readonly database?: Database;
}

const DAY: Millis = 86_400_000;

const VERDICTS: Readonly<Record<FindingKind, Finding["verdict"]>> = {
  replica_missing: "FAIL",
  restore_failed: "FAIL",
  heartbeat_missing: "FAIL",
  empty_restored: "FAIL",
  primary_missing: "FAIL",
  primary_damaged: "FAIL",
  rpo_over_limit: "FAIL",
  markers_over_limit: "FAIL",
  not_restored: "INCOMPLETE",
  rpo_unknown: "INCOMPLETE",
  markers_not_measured: "INCOMPLETE",
  restore_slower: "FINDINGS",
  rpo_worse: "FINDINGS",
};

const DUE: Readonly<Record<Finding["verdict"], Millis>> = { FAIL: DAY, INCOMPLETE: DAY, FINDINGS: 7 * DAY };

/** Worst first. */
const ORDER: readonly Verdict[] = ["FAIL", "INCOMPLETE", "FINDINGS", "PASS"];

/** Gives findings their weight, worst first. @param now when the drill ended. */
export function weigh(drafts: readonly FindingDraft[], now: Millis): readonly Finding[] {
  return drafts
    .map(({ kind, subject, sentence, remedy, database }): Finding => {
      const verdict = VERDICTS[kind];
      const priority = priorityOf(verdict, database);
      return {
        ...{ kind, subject, sentence, remedy, verdict, priority },
        owner: database?.owner ?? null,
        due: now + DUE[verdict],
      };
    })
    .toSorted((a, b) => a.priority - b.priority || ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
}

/** The worst that was found. */
export function verdictOf(findings: readonly Pick<Finding, "verdict">[]): Verdict {
  return ORDER.find((verdict) => findings.some((finding) => finding.verdict === verdict)) ?? "PASS";
}

function priorityOf(verdict: Finding["verdict"], database: Database | undefined): Priority {
  if (verdict === "FAIL") return database?.tier.order === 0 ? 0 : 1;
  return verdict === "INCOMPLETE" ? 2 : 3;
}
