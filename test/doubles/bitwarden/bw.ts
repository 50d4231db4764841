import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BitwardenDouble } from "./server.ts";

const require = createRequire(import.meta.url);
const BW = require.resolve("@bitwarden/cli/build/bw.js");

/** What one run of bw gave. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real bw, in a home of its own, on one server. */
export class Bw {
  readonly home: string;
  session = "";
  readonly #caFile: string;
  readonly #script: string;

  private constructor(home: string, caFile: string, script: string) {
    this.home = home;
    this.#caFile = caFile;
    this.#script = script;
  }

  /** @param script another than npm's own, untouched. */
  static async on({ url, caFile }: BitwardenDouble, script = BW): Promise<Bw> {
    const bw = new Bw(await mkdtemp(join(tmpdir(), "alai-bw-")), caFile, script);
    await bw.ok(["config", "server", url]);
    return bw;
  }

  /** Runs it; secrets go by the environment or the input. */
  run(args: readonly string[], env: Record<string, string> = {}, input = ""): Promise<Run> {
    const child = spawn(process.execPath, [this.#script, ...args], {
      env: {
        ...{ PATH: process.env.PATH ?? "", HOME: this.home, BITWARDENCLI_APPDATA_DIR: this.home },
        ...{ NODE_EXTRA_CA_CERTS: this.#caFile, BW_NOINTERACTION: "true", NO_COLOR: "1" },
        ...(this.session ? { BW_SESSION: this.session } : {}),
        ...env,
      },
    });
    child.stdin.end(input);
    const texts = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => (texts.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (texts.stderr += text));
    return new Promise((resolve, reject) => {
      child.on("error", reject).on("close", (code) => resolve({ code, ...texts }));
    });
  }

  /** Runs it, and throws unless it ends well; gives what it printed. */
  async ok(args: readonly string[], env: Record<string, string> = {}, input = ""): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, env, input);
    if (code !== 0) throw new Error(`bw ${args.join(" ")} ended with ${code}: ${stderr || stdout}`);
    return stdout;
  }

  async json<T>(args: readonly string[], input = ""): Promise<T> {
    return JSON.parse(await this.ok(args, {}, input)) as T;
  }

  async remove(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}
