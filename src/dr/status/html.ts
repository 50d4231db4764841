import type { Millis } from "@alai/core";
import { age } from "./age.ts";
import { alarmText } from "./alarm-text.ts";
import { headline } from "./headline.ts";
import { letterOf } from "./heat.ts";
import type { History, Sample } from "./history.ts";
import { type Line, plot, worst } from "./plot.ts";
import type { DatabaseStatus, Status } from "./status.ts";

/** Colours by what they mean, in both schemes; letters say the same. */
export const STYLE = `:root{color-scheme:light dark;--bg:#fff;--fg:#1a1a1a;--dim:#666;--line:#ddd;--ok:#1a7f4b;--warn:#b26a00;--bad:#c02626;--c0:#2563b8;--c1:#8b3fb0;--c2:#0b7f85;--c3:#a3542a}
@media (prefers-color-scheme:dark){:root{--bg:#14161a;--fg:#e6e6e6;--dim:#9aa0a6;--line:#333;--ok:#4cc38a;--warn:#f0a83c;--bad:#ff6b6b;--c0:#6aa5f5;--c1:#c792ea;--c2:#56c9cf;--c3:#e0976b}}
body{font:15px/1.5 system-ui,sans-serif;background:var(--bg);color:var(--fg);max-width:960px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}.dim{color:var(--dim)}
.map{display:flex;flex-wrap:wrap;gap:4px;margin:.3rem 0 1rem}.map span{width:1.7rem;height:1.7rem;line-height:1.7rem;text-align:center;border-radius:4px;border:1px solid currentColor;font-weight:600}
.ok{color:var(--ok)}.degraded,.unproven{color:var(--warn)}.breached,.unknown{color:var(--bad)}.empty{color:var(--dim)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}td.n,th.n{text-align:right;white-space:nowrap}
svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--dim)}svg path{fill:none;stroke-width:1.5;stroke-linecap:round}.grid{stroke:var(--line)}.limit{stroke:var(--bad);stroke-dasharray:5 4}
.line0{stroke:var(--c0)}.line1{stroke:var(--c1)}.line2{stroke:var(--c2)}.line3{stroke:var(--c3)}.key0{color:var(--c0)}.key1{color:var(--c1)}.key2{color:var(--c2)}.key3{color:var(--c3)}
.scroll{overflow-x:auto}`;

/**
 * The whole status as one page that needs nothing from elsewhere: no script, no font, no picture. @param since where the plots begin.
 */
export function toHtml(status: Status, histories: readonly History[], since: Millis): string {
  const time = new Date(status.at).toISOString();
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>alai dr: ${status.level}</title><style>${STYLE}</style></head><body>
<h1>Is the data safe? <span class="${status.level}">${status.level}</span></h1>
<p>${escaped(headline(status))}</p>
<p class="dim">${time}, epoch ${status.epoch ?? "unknown"}${status.storage.owner === null ? "" : ` (${escaped(status.storage.owner)} writes)`}, ${escaped(status.storage.label)}</p>
${heatMaps(status)}
<p class="dim">A: a heartbeat was read back out of storage. B: the local position is the newest in a listing of storage. d: safe, but something is off. C: only Litestream says so. X: breached. ?: unknown. ·: empty.</p>
${hosts(status)}
${table(status)}
${plots(status, histories, since)}
</body></html>
`;
}

function heatMaps({ databases }: Status): string {
  return [...Map.groupBy(databases, ({ tier }) => tier)]
    .map(([tier, members]) => `<h2>${escaped(tier)}</h2><div class="map">${members.map(cell).join("")}</div>`)
    .join("\n");
}

function cell(database: DatabaseStatus): string {
  const said = [
    `${database.name}: ${database.level}`,
    `at most ${age(database.rpo)} would be lost`,
    ...database.reasons,
  ];
  return `<span class="${database.level}" title="${escaped(said.join(". "))}">${letterOf(database)}</span>`;
}

function hosts({ hosts: all, storage }: Status): string {
  const rows = all.map(({ name, role, answers, address, trouble, alarms }) => {
    const state = answers ? `answers at ${address ?? "?"}` : "does not answer";
    const said = [...(trouble ? [trouble] : []), ...alarms.map(alarmText)];
    return `<tr><td>${escaped(name)}</td><td>${role}</td><td class="${answers ? "ok" : "bad breached"}">${escaped(state)}</td><td>${said.map(escaped).join("<br>")}</td></tr>`;
  });
  const listed = storage.trouble ?? "listed just now";
  rows.push(
    `<tr><td>storage</td><td></td><td class="${storage.trouble ? "breached" : "ok"}">${escaped(listed)}</td><td></td></tr>`,
  );
  return `<h2>Hosts</h2><div class="scroll"><table><tr><th>Host</th><th>Role</th><th>State</th><th>What it says</th></tr>${rows.join("")}</table></div>`;
}

function table({ databases }: Status): string {
  const rows = databases.map(
    (one) =>
      `<tr><td class="${one.level}">${letterOf(one)} ${one.level}</td><td>${escaped(one.name)}</td><td>${escaped(one.tier)}</td><td class="n">${age(one.rpo)}</td><td class="n">${age(one.shipLag)}</td><td class="n">${age(one.copyLag)}</td><td>${one.reasons.map(escaped).join("<br>")}</td></tr>`,
  );
  return `<h2>Databases</h2><div class="scroll"><table><tr><th>State</th><th>Database</th><th>Tier</th><th class="n">Lost at most</th><th class="n">Ship lag</th><th class="n">Copy lag</th><th>Why</th></tr>${rows.join("")}</table></div>`;
}

/** Between two samples of an agent, the first of which it takes soon after its start. */
const SAMPLED: Millis = 60_000;
/** So much of time is in a plot at least. */
const SHORTEST: Millis = 300_000;

/** One plot for each host: the worst of each tier. Of a host without samples a sentence why. */
function plots(status: Status, histories: readonly History[], since: Millis): string {
  return status.hosts
    .map(({ name, role, answers }) => {
      const samples = histories.find(({ host }) => host === name)?.samples ?? [];
      const what =
        role === "standby" ? "age of the newest heartbeat in the copies" : "age of what is proven to be in storage";
      const lines = linesOf(status, samples);
      const isEmpty = lines.every(({ points }) => points.every(({ lag }) => lag === null));
      const said = isEmpty ? noHistory(answers, samples, status.at) : drawn(status, lines, since);
      return `<h2>${escaped(name)}: ${what}, worst of each tier</h2>${said}`;
    })
    .join("\n");
}

function linesOf({ databases }: Status, samples: readonly Sample[]): Line[] {
  return [...Map.groupBy(databases, ({ tier }) => tier)].map(([tier, members], at) => {
    const names = new Set(members.filter(({ level }) => level !== "empty").map(({ name }) => name));
    return { label: tier, colour: at % 4, points: worst(sampled(samples, names)) };
  });
}

function noHistory(answers: boolean, samples: readonly Sample[], now: Millis): string {
  if (!answers) return `<p>No history: its agent does not answer.</p>`;
  const [first] = samples;
  if (first) return `<p>Nothing is known of any moment since ${minute(first.at)}, when it began to keep points.</p>`;
  return `<p>No history yet. The agent keeps a point a minute: the first at ${minute(now + SAMPLED)} or before.</p>`;
}

/** From the first point on, where there is none as old as was asked for: a few minutes of a day are not to be seen. */
function drawn({ databases, at }: Status, lines: readonly Line[], since: Millis): string {
  const first = Math.min(...lines.flatMap(({ points }) => points.map((point) => point.at)));
  const from = Math.max(since, Math.min(first, at - SHORTEST));
  const limit = Math.min(...databases.map((one) => one.limit));
  const key = lines.map(({ label, colour }) => `<span class="key${colour}">— ${escaped(label)}</span>`).join(" ");
  const begins = from > since ? ` · the first point is of ${minute(first)}` : "";
  return `${plot(lines, from, at, Number.isFinite(limit) ? limit : null)}<p class="dim">${key} · dashed: the strictest tier's limit${begins}</p>`;
}

/** `2026-11-21 22:41 UTC`. */
function minute(at: Millis): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A database that no sample knows anything of, one without heartbeats on a standby, would make every moment unknown. */
function sampled(samples: readonly Sample[], names: ReadonlySet<string>): readonly Sample[] {
  const known = new Set(samples.filter(({ lag }) => lag !== null).map(({ name }) => name));
  return samples.filter(({ name }) => names.has(name) && known.has(name));
}

/** Text for a page. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
