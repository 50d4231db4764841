import type { Style } from "../../kit/style.ts";
import { oneLine, wrap } from "../../kit/text.ts";
import { age } from "./age.ts";
import { alarmText } from "./alarm-text.ts";
import { headline, WORST_FIRST } from "./headline.ts";
import { coloured, heatMap } from "./heat.ts";
import type { DatabaseStatus, HostStatus, Status } from "./status.ts";

/** Whether other machines reach the host too, such an answer does not say. */
const LOOPBACK = "127.0.0.1";

/** The head of the status as a person reads it: heat map, hosts and storage. */
export function toScreen(status: Status, style: Style, width: number): string {
  const worst = status.databases.filter(({ rpo }) => rpo !== null).toSorted((a, b) => (b.rpo ?? 0) - (a.rpo ?? 0))[0];
  const lost = worst ? ` Lost at most, were the primary gone now: ${age(worst.rpo)} (${worst.name}).` : "";
  return [
    `${coloured(style, status.level, headline(status))}${lost}\n`,
    heatMap(status, style, width),
    ...status.hosts.map((host) => hostLines(host, style, width)),
    `${storageLine(status, style)}\n`,
  ].join("\n");
}

function hostLines(
  { name, role, answers, address, trouble: why, alarms }: HostStatus,
  style: Style,
  width: number,
): string {
  const state = answers
    ? style.good(address === LOOPBACK ? "answers on this machine" : `answers at ${address ?? "?"}`)
    : style.bad("does not answer");
  const said = [...(why ? [why] : []), ...alarms.filter(({ kind }) => kind !== "unproven").map(alarmText)];
  return `${style.strong(name)} (${role}) ${state}\n${said.map((line) => indented(line, width)).join("")}`.trimEnd();
}

function storageLine({ storage, epoch }: Status, style: Style): string {
  const state = storage.trouble ? style.bad(oneLine(storage.trouble)) : style.good("listed just now");
  const who = storage.owner === null ? "" : ` (${oneLine(storage.owner)} writes)`;
  return `${style.strong("storage")} ${oneLine(storage.label)}, epoch ${epoch ?? "unknown"}${who}: ${state}\n`;
}

/** Databases that are not green, worst first. What is empty is neither. */
export function notGreen({ databases }: Status): readonly DatabaseStatus[] {
  return WORST_FIRST.flatMap((level) => databases.filter((database) => database.level === level));
}

/** Every database, those that are not green first. */
export function worstFirst(status: Status): readonly DatabaseStatus[] {
  const bad = notGreen(status);
  return [...bad, ...status.databases.filter((database) => !bad.includes(database))];
}

function indented(text: string, width: number): string {
  return wrap(oneLine(text), Math.max(30, width - 4))
    .map((line) => `    ${line}\n`)
    .join("");
}
