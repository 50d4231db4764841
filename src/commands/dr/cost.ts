import type { Requests } from "../../dr/cost/model.ts";
import { defineCommand } from "../../kit/command.ts";
import { usage } from "../../kit/errors.ts";
import { printRows } from "../../kit/output.ts";
import { duration } from "../../kit/values.ts";
import { MANIFEST_FLAG } from "./flags.ts";

/** Keys to a page of a listing. */
const PAGES = { azure: 5000, s3: 1000, file: 5000 } as const;
const POLL = 5000;

interface Row {
  readonly name: string;
  readonly of: "forecast" | "measured" | "defaults";
  readonly load: "idle" | "busy" | "now";
  readonly requests: Requests;
  readonly dollars: number;
}

export const command = defineCommand({
  summary: "what storage operations cost a month, by manifest and by measure",
  description: `Forecast of requests a day and dollars a month, from the manifest: idle, with heartbeats alone, and busy, with a change
in every database at every sync. Beside it what agents that answer have counted themselves, and Litestream left to its defaults.
Prices per 10,000 requests are samples of the vendors, and none for a folder; put in those of your bill: each replaces that of the
storage's kind, whichever it is. Space and traffic are not in it.
Lines (not on a terminal): name, forecast, measured or defaults, idle, busy or now, writes, lists, reads a day, dollars a month.`,
  examples: [
    ["alai dr cost", "what it will cost"],
    ["alai dr cost --poll 10s", "if the standby looked half as often"],
    ["alai dr cost --price-write 0.065 --price-list 0.065", "with the prices of your region"],
  ],
  args: [],
  flags: {
    ...MANIFEST_FLAG,
    poll: { value: "TIME", summary: "between two looks of the standby at storage (5s)", parse: duration },
    priceWrite: { value: "DOLLARS", summary: "for 10,000 writes, instead of the kind's own", parse: price },
    priceList: { value: "DOLLARS", summary: "for 10,000 listings, likewise", parse: price },
    priceRead: { value: "DOLLARS", summary: "for 10,000 reads, likewise", parse: price },
  },
  fields: {
    name: "who asks storage",
    of: "forecast, measured or defaults",
    load: "idle, busy or now",
    writes_per_day: "PUT requests a day",
    lists_per_day: "pages of listings a day",
    reads_per_day: "GET requests a day",
    dollars_per_month: "for 30 days",
  },
  async run(context, { flags }) {
    const [{ readManifest }, { forecast }, { measure }, { PRICES, perMonth }, { add }] = await Promise.all([
      import("../../dr/manifest/read.ts"),
      import("../../dr/cost/forecast.ts"),
      import("../../dr/cost/measured.ts"),
      import("../../dr/cost/prices.ts"),
      import("../../dr/cost/model.ts"),
    ]);
    const manifest = readManifest(context, flags.manifest);
    const { type } = manifest.storage;
    const listed = PRICES[type];
    const prices = {
      ...listed,
      ...(flags.priceWrite !== undefined && { write: flags.priceWrite }),
      ...(flags.priceList !== undefined && { list: flags.priceList }),
      ...(flags.priceRead !== undefined && { read: flags.priceRead }),
    };
    const row = (name: string, of: Row["of"], load: Row["load"], requests: Requests): Row => ({
      ...{ name, of, load, requests },
      dollars: perMonth(requests, prices),
    });
    const { ours, defaults } = forecast(manifest, { poll: flags.poll ?? POLL, pageSize: PAGES[type] });
    const measured = await measure(context, manifest);
    const rows = (["idle", "busy"] as const).flatMap((load) => [
      ...ours.map((item) => row(item.name, "forecast", load, item[load])),
      row("in all", "forecast", load, add(...ours.map((item) => item[load]))),
      ...defaults.map((item) => row(item.name, "defaults", load, item[load])),
    ]);
    for (const { host, perDay } of measured) rows.push(row(`agent of ${host}, its own`, "measured", "now", perDay));
    await printRows<Row>(context, rows, {
      columns: [
        {
          header: "WHO",
          value: ({ name }) => name,
          show: ({ name }, style) => (name === "in all" ? style.strong(name) : name),
        },
        { header: "OF", value: ({ of }) => of },
        { header: "LOAD", value: ({ load }) => load },
        ...(["write", "list", "read"] as const).map((kind) => ({
          header: `${kind.toUpperCase()}S/DAY`,
          value: ({ requests }: Row) => String(Math.round(requests[kind])),
          show: ({ requests }: Row) => Math.round(requests[kind]).toLocaleString("en"),
          right: true,
        })),
        { header: "$/MONTH", value: ({ dollars }) => dollars.toFixed(2), right: true },
      ],
      json: ({ name, of, load, requests, dollars }) => ({
        ...{ name, of, load },
        writes_per_day: Math.round(requests.write),
        lists_per_day: Math.round(requests.list),
        reads_per_day: Math.round(requests.read),
        dollars_per_month: Number(dollars.toFixed(2)),
      }),
    });
    if (context.io.stderrIsTty && !context.flags.quiet && !context.flags.json)
      context.io.err(
        `Per 10,000: writes $${prices.write}, lists $${prices.list}, reads $${prices.read}. Source where not given: ${listed.source}.\n`,
      );
  },
});

function price(raw: string): number {
  const dollars = Number(raw);
  if (/^\d+(\.\d+)?$/.test(raw) && dollars <= 1000) return dollars;
  throw usage(`${JSON.stringify(raw)} is not a price.`, "Type dollars for 10,000 requests, for example 0.055.");
}
