import { oneLine, truncate } from "../../kit/text.ts";
import type { NoticeKind } from "../machine/notice.ts";
import { sentenceOf } from "../machine/sentence.ts";
import type { Outgoing } from "./channel.ts";

/** Slack asks for at most 4,000 characters in a message, and cuts it at 40,000. */
const LONGEST = 3000;

const MARKS: Readonly<Record<NoticeKind, string>> = {
  down: ":red_circle:",
  escalated: ":rotating_light:",
  recovered: ":large_green_circle:",
  degraded: ":large_yellow_circle:",
  path_back: ":large_green_circle:",
  acknowledged: ":speech_balloon:",
};

/** @param nobody there is nobody who could be told directly: an escalation calls whoever is in the channel. */
export function slackText({ notice, again, everyone: instead }: Outgoing, nobody = false): string {
  const sentence = escapeSlack(truncate(oneLine(sentenceOf(notice)), LONGEST));
  const repeated = again ? " (sent again: whether it arrived the first time is not known)" : "";
  const call = instead || (nobody && notice.kind === "escalated") ? "<!channel> " : "";
  return `${call}${MARKS[notice.kind]} ${sentence}${repeated}`;
}

/** The three characters that Slack takes for marks of links and mentions. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
