import type { Outgoing } from "../../src/watch/channels/channel.ts";
import type { Notice } from "../../src/watch/machine/notice.ts";

/** Notices to send, where it does not matter how they came to be. */

const AT = Date.UTC(2026, 11, 1, 9, 30);

export function noticeOf(more: Partial<Notice> = {}): Notice {
  return {
    ...{ id: "anvil-1-down", kind: "down", host: "anvil", incident: "anvil-1", at: AT, since: AT - 20_000 },
    ...{ lasted: 20_000, path: null, by: null, quietFor: null, direct: false },
    paths: [{ address: "10.0.0.1", answers: false, finding: "nothing listens there" }],
    ...more,
  };
}

export function outgoing(more: Partial<Outgoing> = {}): Outgoing {
  return {
    ...{ notice: noticeOf(), to: "channel", mark: "00000000-0000-8000-8000-000000000001", again: false, attempt: 1 },
    everyone: false,
    ...more,
  };
}
