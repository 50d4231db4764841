import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DrillReport } from "../../../src/dr/drill/report.ts";
import { TestProcess } from "../process.ts";
import { until, type World } from "../world.ts";

const ALAI = join(import.meta.dirname, "../../../bin/alai.ts");

/** What a drill gave, as its caller sees it. */
export interface DrillRun {
  readonly exit: number | null;
  readonly output: string;
  /** Of the file that it wrote; null: it wrote none. */
  readonly report: DrillReport | null;
}

/** What was found, without what hangs on how much this machine has to do. */
export function foundBy({ report }: DrillRun): readonly string[] {
  const found = report?.findings.filter(({ verdict }) => verdict !== "FINDINGS") ?? [];
  return found.map(({ kind, subject }) => `${kind} ${subject}`).sort();
}

/** Drills of a world, by the real command; all that were started are ended with it. */
export class Drills implements AsyncDisposable {
  readonly world: World;
  readonly #manifest: string;
  readonly #started: TestProcess[] = [];

  constructor(world: World, manifest: string) {
    this.world = world;
    this.#manifest = manifest;
  }

  get ledger(): string {
    return join(this.world.folder, "ledger.db");
  }

  /** The standby's state folder, as `proofFolder` finds it. */
  get state(): string {
    return join(this.world.folder, "standby");
  }

  alai(words: readonly string[], env: Readonly<Record<string, string>> = {}): TestProcess {
    const started = new TestProcess(process.execPath, ["--", ALAI, ...words], {
      ...process.env,
      ...this.world.env,
      ...{ ALAI_DR_MANIFEST: this.#manifest, ALAI_MC_DB: this.ledger, ALAI_DR_TOKEN: "", ALAI_SESSION: "drill" },
      ...env,
    });
    this.#started.push(started);
    return started;
  }

  async run(words: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<DrillRun> {
    const drill = this.alai(["dr", "drill", "--isolated", ...words], env);
    await until("the drill's end", () => drill.isOver, 110_000);
    await until("its output", () => drill.child.stdout?.readableEnded && drill.child.stderr?.readableEnded);
    const file = /Report: (\S+)\.html/.exec(drill.output)?.[1];
    const report = file ? (JSON.parse(readFileSync(`${file}.json`, "utf8")) as DrillReport) : null;
    return { exit: drill.child.exitCode, output: drill.output, report };
  }

  /** A drill that stands still at some moment: it is there, and does nothing until it is thawed. */
  async frozenWhen(what: string, look: () => boolean | Promise<boolean>): Promise<TestProcess> {
    // A slow look may come too late: then with another drill.
    for (let tries = 0; tries < 10; tries += 1) {
      const drill = this.alai(["dr", "drill", "--isolated"]);
      await until(what, async () => drill.isOver || (await look()));
      drill.freeze();
      if (!drill.isOver && (await look())) return drill;
      drill.thaw();
      await drill.kill();
    }
    throw new Error(`No drill could be stopped at: ${what}`);
  }

  async tasks(): Promise<readonly { id: number; status: string; title: string; dedup_key: string }[]> {
    const words = ["mc", "list", "--all", "--json=id,status,title,dedup_key"];
    const list = this.alai(words);
    await until("the list", () => list.isOver && list.child.stdout?.readableEnded);
    return JSON.parse(list.output);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#started.map((one) => one.kill()));
  }
}
