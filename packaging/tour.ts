import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The main job in half a minute, on a ledger that is thrown away: `npm run tour`. Every line is a real call of the built
 * program; a call that does not end as it must ends the tour with 1.
 */

const alai = join(import.meta.dirname, "..", "dist", "npm", "alai.js");
const dir = mkdtempSync(join(tmpdir(), "alai-tour-"));

interface Step {
  readonly says: string;
  readonly words: readonly string[];
  readonly session: string;
  /** The exit code it must have. */
  readonly exit: number;
}

const STEPS: readonly Step[] = [
  {
    says: "Three tasks.",
    words: ["mc", "add", "Rotate the API keys", "-p", "1", "--project", "infra"],
    session: "laptop",
    exit: 0,
  },
  { says: "", words: ["mc", "add", "Write the release notes", "--due", "+3d"], session: "laptop", exit: 0 },
  { says: "", words: ["mc", "add", "Publish the release", "-p", "0", "--blocked-by", "2"], session: "laptop", exit: 0 },
  {
    says: "The most urgent one that can be done, and why. The session `laptop` claims it.",
    words: ["mc", "next", "--claim"],
    session: "laptop",
    exit: 0,
  },
  {
    says: "Another session wants the same task. It is refused: exit 1, with holder and time.",
    words: ["mc", "claim", "1"],
    session: "agent-7",
    exit: 1,
  },
  { says: "The holder finishes it.", words: ["mc", "done", "1"], session: "laptop", exit: 0 },
  { says: "What is left. Task 3 waits for task 2.", words: ["mc", "list"], session: "laptop", exit: 0 },
  { says: "What happened.", words: ["mc", "events"], session: "laptop", exit: 0 },
];

function run(step: Step): boolean {
  if (step.says) process.stdout.write(`\n# ${step.says}\n`);
  const shown = step.words.map((word) => (/[\s]/.test(word) ? `"${word}"` : word)).join(" ");
  process.stdout.write(`$ ALAI_SESSION=${step.session} alai ${shown}\n`);
  const { status } = spawnSync(process.execPath, [alai, ...step.words], {
    stdio: "inherit",
    env: {
      ...process.env,
      ALAI_MC_DB: join(dir, "ledger.db"),
      ALAI_MC_URL: "",
      ALAI_ACTOR: "you",
      ALAI_SESSION: step.session,
    },
  });
  if (status !== 0) process.stdout.write(`(exit ${status})\n`);
  return status === step.exit;
}

try {
  const ok = STEPS.every(run);
  process.stdout.write(
    ok
      ? "\nThe tour is over; its ledger is gone. Next: alai mc --help\n"
      : "\nThe tour failed: the last call did not end as it must.\n",
  );
  process.exitCode = ok ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
