import { join } from "node:path";
import type { StatusDocument } from "../src/models/document.ts";
import { modelsFolder } from "../src/models/files.ts";
import type { Health } from "../src/models/health.ts";
import { replaceFile } from "../src/models/write.ts";
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
  replaceFile(modelsFolder(dir), "status.json", fleet());
  const env = {
    ALAI_DATA_DIR: dir,
    ALAI_ACTOR: "bench",
    ALAI_SESSION: "bench",
    HOME: dir,
    ALAI_MC_URL: "",
    ALAI_MC_DB: file,
  };
  const subjects: Subject[] = [
    { name: "node", argv: [node, "-e", "0"] },
    { name: "status", argv: [node, npm, "mc", "claim-status", "5"], env },
    { name: "gate", argv: [node, npm, "hook", "claim-gate"], input: EVENT, env },
    { name: "bun", argv: [bun, "-e", "0"] },
    { name: "route", argv: [node, npm, "models", "route", "tier9"], env },
    { name: "binary route", argv: [binary, "models", "route", "tier9"], env },
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
    {
      what: "npm build: `models route` ÷ `node -e 0`",
      value: ratio(times, "route", "node"),
      bar: 1.5,
      moonshot: 1.2,
      detail: ms(times, "route", "node"),
    },
    {
      what: "binary: `models route` ÷ `bun -e 0`",
      value: ratio(times, "binary route", "bun"),
      bar: 1.5,
      moonshot: 1.2,
      detail: ms(times, "binary route", "bun"),
    },
  ];
}

/** What a watcher of the company's size writes: two hosts with five models each, two clouds, ten tiers; one host is down. */
function fleet(): StatusDocument {
  const at = Date.now();
  const up: Health = { state: "up", since: at, hits: 2, misses: 0, trouble: null };
  const down: Health = {
    ...{ state: "down", since: at, hits: 0, misses: 2 },
    trouble: { kind: "connection", message: "connect ECONNREFUSED 10.0.0.1:11434" },
  };
  const names = ["anvil", "forge", "claude", "together"];
  const models = ["llama3.1:8b", "qwen2.5-coder:32b", "qwen2.5-coder:32b-instruct-q8_0", "mixtral:8x22b", "phi4:14b"];
  return {
    ...{ version: 1, at, watcher: { pid: process.pid, since: at }, interval: 3_600_000, timeout: 3000 },
    manifest: { file: "/etc/alai/dr.manifest.yaml", hash: "0".repeat(64) },
    endpoints: names.map((name) => {
      const health = name === "anvil" ? down : up;
      const own = models.map((model) => ({ name: model, health }));
      return {
        name,
        host: null,
        kind: "ollama",
        url: `http://${name}:11434`,
        health,
        latency: 4.2,
        listed: true,
        models: own,
      };
    }),
    tiers: Array.from({ length: 10 }, (_, tier) => ({
      ...{ name: `tier${tier}`, endpoint: "anvil", model: models[tier % 5] ?? "" },
      fallbacks: names.slice(1).map((endpoint) => ({
        ...{ endpoint, model: models[tier % 5] ?? "", onlyUnreachable: endpoint === "together" },
      })),
    })),
  };
}
