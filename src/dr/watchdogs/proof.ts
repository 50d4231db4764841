import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { Watchdog } from "./watched.ts";

/** `alai dr prove` runs every day; half a day later it is overdue. */
export const PROOF_LIMIT: Millis = 36 * 3_600_000;

/** Not restored from storage and checked for a day and a half: open reports of Litestream are visible only at a restore (facts §1.9). */
export const unproven: Watchdog = ({ databases, role, proofs, now }) =>
  databases.flatMap(({ database: { name }, report }) => {
    if (role !== "standby" || report.shipped === null) return [];
    const at = proofs.get(name);
    if (at !== undefined && now - at <= PROOF_LIMIT) return [];
    const sentence =
      at === undefined
        ? "It has never been restored from storage and checked. Type alai dr prove."
        : `It was last restored from storage and checked ${span(now - at)} ago. Type alai dr prove.`;
    return [{ kind: "unproven", subject: name, sentence }];
  });
