import type { Remark } from "../../dr/adopt/read.ts";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { printRows } from "../../kit/output.ts";
import { name } from "../../kit/values.ts";

export const command = defineCommand({
  summary: "make a manifest from a litestream.yml",
  description: `Reads a config of Litestream 0.3 or 0.5 and says what becomes of each key: ignored (without effect in 0.5, and not in the
manifest), revived (without effect in 0.5 today; the manifest has it, and by that it holds again), unknown, secret (never copied),
not-taken (0.5 reads it, the manifest has no such key), and what is guessed, because no config says it. Tiers are made from equal
retention and snapshot intervals. Nothing is overwritten.
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
    kind: "ignored, revived, unknown, secret, not-taken or guessed",
    key: "the key, with what it stands in; of a guess the key of the manifest",
    count: "how often it is there",
    line: "where first; null where the config says nothing of it",
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
      context.warn(
        `${file} has ${adopted.databases} ${adopted.databases === 1 ? "database" : "databases"}. Look over what is guessed in it, then type alai dr manifest check.`,
      );
  },
});

async function print(context: Context, remarks: readonly Remark[]): Promise<void> {
  await printRows<Remark>(context, remarks, {
    columns: [
      {
        header: "KIND",
        value: ({ kind }) => kind,
        show: ({ kind }, style) => (kind === "ignored" || kind === "guessed" ? style.warn(kind) : kind),
      },
      { header: "KEY", value: ({ key }) => key },
      { header: "TIMES", value: ({ lines }) => `${lines.length || ""}`, right: true },
      { header: "LINE", value: ({ lines: [first] }) => `${first ?? ""}`, right: true, expendable: 1 },
      { header: "WHAT", value: ({ detail }) => detail, flexible: true, wraps: true },
    ],
    json: ({ lines, ...remark }) => ({ ...remark, count: lines.length, line: lines[0] ?? null }),
  });
}
