import { writeFileSync } from "node:fs";
import { type ModelServer, startModelServer } from "../doubles/ollama.ts";
import type { Place } from "../scripts/harness.ts";

/** The plan's fleet of models in small: ANVIL, FORGE, Claude and Together.ai, and a manifest with their rules. */
export interface Fleet {
  readonly anvil: ModelServer;
  readonly forge: ModelServer;
  readonly claude: ModelServer;
  readonly together: ModelServer;
  /** Writes the manifest. @param interval between two rounds. @param tiers more of them, as YAML. */
  write(interval: string, tiers?: string): void;
  stop(): Promise<void>;
}

export const KEY = "sk-of-the-tests";

/** @param place where the manifest goes; its environment gets the manifest's name and Claude's key. */
export async function startFleet(place: Place): Promise<Fleet> {
  const anvil = await startModelServer("ollama", ["qwen2.5-coder:32b", "llama3.1:8b"]);
  const forge = await startModelServer("openai", ["qwen2.5-coder:32b-instruct-q8_0", "llama3.1:8b"]);
  const claude = await startModelServer("anthropic", ["claude-sonnet-4-6"]);
  const together = await startModelServer("together", ["meta-llama/Llama-3.3-70B-Instruct-Turbo"]);
  claude.key = KEY;
  const file = place.file("dr.manifest.yaml");
  place.env.ALAI_DR_MANIFEST = file;
  place.env.CLAUDE_KEY = KEY;
  const write = (interval: string, tiers = "") =>
    writeFileSync(
      file,
      `hosts:
  - { name: anvil, role: primary, user: makinja, databases: /db, state: /state, addresses: [127.0.0.1] }
storage: { type: file, path: /replicas }
tiers:
  - { name: p0, retention: 7d, rpo: 5s }
databases: []
models:
  interval: ${interval}
  timeout: 5s
  endpoints:
    - { name: anvil, host: anvil, url: "${anvil.url}", models: ["qwen2.5-coder:32b", "llama3.1:8b"] }
    - { name: forge, url: "${forge.url}", kind: openai }
    - { name: claude, url: "${claude.url}", kind: anthropic, secret: CLAUDE_KEY }
    - { name: together, url: "${together.url}", kind: openai }
  tiers:
    - name: 2c
      endpoint: anvil
      model: qwen2.5-coder:32b
      fallbacks:
        - { endpoint: forge, model: qwen2.5-coder:32b-instruct-q8_0 }
        - { endpoint: claude, model: claude-sonnet-4-6 }
        - { endpoint: together, model: meta-llama/Llama-3.3-70B-Instruct-Turbo, only-unreachable: true }
${tiers}`,
    );
  write("1s");
  const all = [anvil, forge, claude, together];
  return {
    anvil,
    forge,
    claude,
    together,
    write,
    stop: async () => void (await Promise.all(all.map((one) => one.stop()))),
  };
}
