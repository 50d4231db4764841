import { join } from "node:path";
import { makeOurs } from "./ledgers.ts";
import { interleave, ms, ratio, type Subject } from "./measure.ts";
import type { Figure } from "./report.ts";

const root = join(import.meta.dirname, "..");
const node = process.execPath;
const npm = join(root, "dist", "npm", "alai.js");
const binary = join(root, "dist", "alai");
const bun = join(root, "node_modules", ".bin", "bun");
const EVENT = JSON.stringify({
  session_id: "bench",
  hook_event_name: "PreToolUse",
  tool_name: "Bash",
  tool_input: { command: "ls -la" },
});

/** The start-up figures; CI holds the same ones, with slack. */
export async function startUp(dir: string, rounds: number): Promise<Figure[]> {
  const file = await makeOurs(join(dir, "start.db"), 8378, 127);
  const env = { ALAI_ACTOR: "bench", ALAI_SESSION: "bench", HOME: dir, ALAI_MC_URL: "", ALAI_MC_DB: file };
  const subjects: Subject[] = [
    { name: "node", argv: [node, "-e", "0"] },
    { name: "status", argv: [node, npm, "mc", "claim-status", "5"], env },
    { name: "gate", argv: [node, npm, "hook", "claim-gate"], input: EVENT, env },
    { name: "bun", argv: [bun, "-e", "0"] },
    { name: "binary gate", argv: [binary, "hook", "claim-gate"], input: EVENT, env },
  ];
  const times = interleave(subjects, rounds);
  return [
    {
      what: "npm build: `mc claim-status` ÷ `node -e 0`",
      value: ratio(times, "status", "node"),
      bar: 1.6,
      moonshot: 1.3,
      detail: ms(times, "status", "node"),
    },
    {
      what: "npm build: `hook claim-gate`, pass path ÷ `node -e 0`",
      value: ratio(times, "gate", "node"),
      bar: 1.5,
      moonshot: 1.2,
      detail: ms(times, "gate", "node"),
    },
    {
      what: "binary: `hook claim-gate`, pass path ÷ `bun -e 0`",
      value: ratio(times, "binary gate", "bun"),
      bar: 1.5,
      moonshot: 1.2,
      detail: ms(times, "binary gate", "bun"),
    },
  ];
}
