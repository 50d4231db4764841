export const TTL = 1000;

/** What the lease rules say, written again in the plainest way: nothing here comes from core. */
export interface ModelTask {
  id: number;
  open: boolean;
  holder: string | null;
  until: number;
  fence: number;
  /** Who acquired each fence; `given` when that holder gave it up itself. */
  grants: { by: string; given: boolean }[];
}

export const live = (task: ModelTask, now: number) => task.holder !== null && now < task.until;

/** The newest grant of `by`, with its fence. */
function lastGrant(task: ModelTask, by: string): { fence: number; given: boolean } | null {
  const index = task.grants.findLastIndex((grant) => grant.by === by);
  const grant = task.grants[index];
  return grant ? { fence: index + 1, given: grant.given } : null;
}

function giveUp(task: ModelTask, by: string): void {
  const last = task.grants.findLast((grant) => grant.by === by);
  if (last) last.given = true;
}

/** Null when `by` may change the task. */
function mayWrite(task: ModelTask, by: string, now: number): string | null {
  const last = lastGrant(task, by);
  if (last && !last.given && last.fence < task.fence) return "fenced";
  return live(task, now) && task.holder !== by ? "held" : null;
}

export const VERBS: Readonly<Record<string, (task: ModelTask, by: string, now: number) => string>> = {
  claim(task, by, now) {
    if (live(task, now) && task.holder === by) {
      task.until = Math.max(task.until, now + TTL);
      return `fence ${task.fence} again`;
    }
    if (live(task, now)) return "held";
    if (!task.open) return "not_open";
    task.holder = by;
    task.until = now + TTL;
    task.fence += 1;
    task.grants.push({ by, given: false });
    return `fence ${task.fence}`;
  },
  extend(task, by, now) {
    if (live(task, now) && task.holder === by) {
      task.until = Math.max(task.until, now + TTL);
      return "ok";
    }
    if (live(task, now)) return "not_holder";
    const last = lastGrant(task, by);
    return task.holder === by || (last && !last.given && last.fence === task.fence) ? "lease_expired" : "not_holder";
  },
  release(task, by) {
    if (task.holder === by) {
      task.holder = null;
      giveUp(task, by);
      return "ok";
    }
    const last = lastGrant(task, by);
    if (task.holder === null && last && last.fence === task.fence) return "already";
    if (last && !last.given && last.fence < task.fence) return "fenced";
    return "not_holder";
  },
  done(task, by, now) {
    const no = mayWrite(task, by, now);
    if (no) return no;
    if (!task.open) return "ok";
    task.open = false;
    task.holder = null;
    giveUp(task, by);
    return "ok";
  },
  reopen(task, by, now) {
    const no = mayWrite(task, by, now);
    if (no) return no;
    task.open = true;
    return "ok";
  },
  edit(task, by, now) {
    const no = mayWrite(task, by, now);
    if (no) return no;
    if (live(task, now) && task.holder === by) task.until = Math.max(task.until, now + TTL);
    return "ok";
  },
};
