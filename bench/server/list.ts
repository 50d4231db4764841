import { interleave, ms, ratio, type Subject } from "../measure.ts";
import type { Figure } from "../report.ts";
import type { Bench } from "./bench.ts";
import { BINARY, cleanEnv, NPM } from "./served.ts";

const TASKS = 8378;

/** `mc list` from another machine's point of view, beside the same command on the same file. */
export async function lists(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [open, label] of [
    [TASKS, "all open"],
    [127, "127 open"],
  ] as const) {
    bench.progress(`mc list over HTTP and locally, 8,378 tasks, ${label}`);
    const file = await bench.file(TASKS, open);
    const served = await bench.start(NPM, { file });
    const argv = [...BINARY, "mc", "list", "--limit", "0"];
    const env = cleanEnv(bench.dir) as Record<string, string>;
    const subjects: Subject[] = [
      { name: "http", argv, env: { ...env, ALAI_MC_URL: served.url } },
      { name: "local", argv, env: { ...env, ALAI_MC_URL: "", ALAI_MC_DB: file } },
    ];
    const times = interleave(subjects, bench.quick ? 9 : 31);
    await bench.stop(served);
    figures.push({
      what: `binary: \`mc list\` over HTTP ÷ locally, 8,378 tasks, ${label}`,
      value: ratio(times, "http", "local"),
      bar: 2.5,
      moonshot: 1.5,
      detail: ms(times, "http", "local"),
    });
  }
  return figures;
}
