import { PRIMARY_KEY, type Primary } from "../epoch.ts";
import type { Host } from "../manifest/model.ts";

/** What this host may do now. */
export type Verdict =
  | { readonly act: "primary" | "standby"; readonly epoch: number }
  | { readonly act: "wait"; readonly why: string };

/** What is known when it is decided. */
export interface Case {
  readonly host: Pick<Host, "name" | "role">;
  readonly truth: Primary;
  /** The newest epoch that this host has ever acted in, 0: none. Storage that says less is not the storage of then. */
  readonly newest: number;
}

/**
 * Who may write is decided by storage alone, never by what a host was before it went down: a primary that comes back finds itself
 * no longer the owner, and waits, instead of overwriting what the new one has written (facts §0.1).
 */
export function decide({ host, truth, newest }: Case): Verdict {
  const { epoch, owner, state } = truth;
  if (epoch < newest) return wait(wentBack(truth, newest));
  if (owner === host.name)
    return state === "primary"
      ? { act: "primary", epoch }
      : wait(`This host is being promoted to epoch ${epoch} (${state}); it writes when that is done.`);
  if (host.role === "standby") return { act: "standby", epoch };
  return wait(
    `${owner} has been the primary since epoch ${epoch}. This host writes nothing, so that nothing of ${owner}'s is overwritten.`,
  );
}

/**
 * Going on in the earlier epoch is nobody's to decide but a person's: another host may have written the later one. A later one than
 * both has replicas of its own, so that it can never make two writers.
 */
function wentBack({ epoch, owner }: Primary, newest: number): string {
  const right = JSON.stringify({ epoch: newest + 1, owner, state: "primary" });
  return (
    `Storage says epoch ${epoch}, and this host has been in ${newest}: this is not the storage it was, or ${PRIMARY_KEY} was written by hand and was wrong. ` +
    `Bring the right storage back; or, if ${owner} is to write, put ${right} into ${PRIMARY_KEY}: a later epoch than any host has been in.`
  );
}

function wait(why: string): Verdict {
  return { act: "wait", why };
}
