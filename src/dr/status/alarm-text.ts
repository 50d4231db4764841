import type { Alarm } from "../report.ts";
import { brief } from "../restore/brief.ts";

/** An alarm as one sentence: whom it is about is said once. */
export function alarmText({ subject, sentence }: Pick<Alarm, "subject" | "sentence">): string {
  const said = brief(sentence);
  return subject === "" || said.includes(subject) ? said : `${subject}: ${said}`;
}
