import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Context } from "./context.ts";

/** What is over sooner needs no picture. */
const PATIENCE: Millis = 2000;
const FRAME: Millis = 100;
const WIDTH = 24;

/** How far some work is. */
export interface Bar {
  step(done: number): void;
  end(): void;
}

const NONE: Bar = { step() {}, end() {} };

/** A bar on stderr of a terminal for what takes longer than two seconds; silent elsewhere. */
export function startBar(context: Context, label: string, total: number, unit = "rows"): Bar {
  const { io, flags } = context;
  if (!io.stderrIsTty || flags.quiet || flags.json) return NONE;
  let next = monotonic() + PATIENCE;
  let drawn = false;
  return {
    step(done) {
      const now = monotonic();
      if (now < next) return;
      next = now + FRAME;
      drawn = true;
      io.err(`\r${picture(label, done, total, unit)}\u001b[K`);
    },
    end() {
      if (drawn) io.err("\r\u001b[K");
    },
  };
}

function picture(label: string, done: number, total: number, unit: string): string {
  const part = total > 0 ? Math.min(1, done / total) : 1;
  const full = Math.round(part * WIDTH);
  const rows = `${done.toLocaleString("en")} of ${Math.max(done, total).toLocaleString("en")} ${unit}`;
  return `${label} ${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${Math.floor(part * 100)} %  ${rows}`;
}
