import { aboutOf, concernOf, said } from "./concern.ts";
import type { HostState } from "./host.ts";
import { noticeOf } from "./incident.ts";
import type { Notice } from "./notice.ts";

/** What is so already, for one who is told from now on: under the ids of what was said of it then, so that it can be told by them. */
export function standing(state: HostState): readonly Notice[] {
  return [...outage(state), ...alarms(state)];
}

function outage(state: HostState): readonly Notice[] {
  const { incident } = state;
  if (!incident) return [];
  const lasts = { since: incident.at, lasted: state.age - incident.from };
  const down = noticeOf(state, "down", incident.id, lasts);
  // Whoever has it in hand knows of it.
  if (!incident.escalated || incident.ack) return [down];
  return [down, noticeOf(state, "escalated", `${incident.id}-${incident.escalations}`, { ...lasts, direct: true })];
}

function alarms(state: HostState): readonly Notice[] {
  const { worry } = concernOf(state);
  if (!worry) return [];
  const standing = said(state, worry);
  if (!worry.escalated || worry.ack) return [standing];
  const more = { ...aboutOf(state, worry), direct: true };
  return [standing, noticeOf(state, "escalated", `${worry.id}-${worry.escalations}`, more)];
}
