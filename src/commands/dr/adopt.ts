import type { Remark } from "../../dr/adopt/read.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { printRows } from "../../kit/output.ts";
import { name } from "../../kit/values.ts";

export const command = defineCommand({
  summary: "make a manifest from a litestream.yml",
  description: `Reads a config of Litestream 0.3 or 0.5 and says of each key what 0.5 makes of it: ignored (0.5 passes over it without a word),
unknown, secret (never copied) or not-taken. Tiers are made from equal retention values. Nothing is overwritten.
Lines (not on a terminal): kind, key, how often, first line, sentence.`,
  examples: [
    ["alai dr adopt litestream.yml", "into ./dr.manifest.yaml"],
    ["alai dr adopt litestream.yml --out - > new.yaml", "the manifest on stdout, without the remarks"],
  ],
  args: [{ name: "config", summary: "the litestream.yml" }],
  flags: {
    out: { value: "FILE", summary: "where to; default dr.manifest.yaml; - is stdout, then the remarks are left out" },
    host: { value: "HOST", summary: "what to call the primary; default primary", parse: name("name of a host") },
  },
  fields: {
    kind: "ignored, unknown, secret or not-taken",
    key: "the key, with what it stands in",
    count: "how often it is there",
    line: "where first",
    detail: "a sentence",
  },
  async run(context, { args: [config], flags }) {
    const [{ adoptFile }, { writeNew }] = await Promise.all([
      import("../../dr/adopt/file.ts"),
      import("../../dr/adopt/write-new.ts"),
    ]);
    const adopted = adoptFile(context, config, flags.host ?? "primary");
    if (flags.out === "-") return context.io.out(adopted.text);
    const file = writeNew(context, flags.out ?? "dr.manifest.yaml", adopted.text);
    await print(context, adopted.remarks);
    if (!context.flags.quiet)
      context.warn(`${file} has ${adopted.databases} databases. Look it over, then type alai dr manifest check.`);
  },
});

async function print(context: Context, remarks: readonly Remark[]): Promise<void> {
  await printRows<Remark>(context, remarks, {
    columns: [
      {
        header: "KIND",
        value: ({ kind }) => kind,
        show: ({ kind }, style) => (kind === "ignored" ? style.warn(kind) : kind),
      },
      { header: "KEY", value: ({ key }) => key },
      { header: "TIMES", value: ({ lines }) => String(lines.length), right: true },
      { header: "LINE", value: ({ lines }) => String(lines[0]), right: true, expendable: 1 },
      { header: "WHAT", value: ({ detail }) => detail, flexible: true, wraps: true },
    ],
    json: ({ lines, ...remark }) => ({ ...remark, count: lines.length, line: lines[0] }),
  });
}
