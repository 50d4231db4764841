import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { Bw } from "../../test/doubles/bitwarden/bw.ts";
import { BitwardenDouble } from "../../test/doubles/bitwarden/server.ts";

const root = join(import.meta.dirname, "..", "..");

/** The words that start each build. */
export const BUILDS: Readonly<Record<"binary" | "npm build", readonly string[]>> = {
  binary: [join(root, "dist", "alai")],
  "npm build": [process.execPath, join(root, "dist", "npm", "alai.js")],
};
/** Bitwarden's own program, started as npm starts it. */
export const BW = [process.execPath, join(root, "node_modules", "@bitwarden", "cli", "build", "bw.js")] as const;

/** A server with a vault of 20 logins, open in alai and, in a home of its own, in bw. */
export class Setting {
  readonly dir = mkdtempSync(join(tmpdir(), "alai-bench-"));
  readonly double: BitwardenDouble;
  readonly #bw: Bw;
  readonly ids: readonly string[];
  /** Of alai. */
  readonly env: Record<string, string>;

  private constructor(double: BitwardenDouble, bw: Bw, ids: readonly string[]) {
    this.double = double;
    this.#bw = bw;
    this.ids = ids;
    const home = join(this.dir, "home");
    mkdirSync(home);
    this.env = {
      HOME: home,
      ...{
        XDG_CONFIG_HOME: join(home, ".config"),
        XDG_DATA_HOME: join(home, "data"),
        XDG_CACHE_HOME: join(home, "cache"),
      },
      PATH: [join(root, "node_modules", ".bin"), dirname(process.execPath), process.env.PATH].join(delimiter),
      NODE_EXTRA_CA_CERTS: double.caFile,
      ...{ ALAI_TOKEN: "", ALAI_PROFILE: "", ALAI_MC_URL: "" },
    };
  }

  static async make(): Promise<Setting> {
    const double = await BitwardenDouble.start();
    const user = await double.addUser({ email: "bench@example.com", password: "correct horse" });
    const ids = double.seed(
      user,
      Array.from({ length: 20 }, (_, at) => ({
        ...{ type: 1, name: `item ${at}`, folder: "Work" },
        login: { password: `Zx9-${at}-kP3mQ8vT2wL7rB5nY1` },
      })),
    );
    const bw = await Bw.on(double);
    const secrets = { BW_PASSWORD: "correct horse" };
    bw.session = (await bw.ok(["login", "bench@example.com", "--passwordenv", "BW_PASSWORD", "--raw"], secrets)).trim();
    const setting = new Setting(double, bw, ids);
    await setting.#unlock();
    return setting;
  }

  /** What bw needs to use its own vault. */
  get bwEnv(): Record<string, string> {
    const { home, session } = this.#bw;
    return { HOME: home, BITWARDENCLI_APPDATA_DIR: home, BW_SESSION: session, NODE_EXTRA_CA_CERTS: this.double.caFile };
  }

  async end(): Promise<void> {
    await this.#bw.remove();
    await this.double.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #unlock(): Promise<void> {
    const { execa } = await import("execa");
    const [program, ...words] = BUILDS.binary;
    const args = ["secrets", "unlock", "--server", this.double.url, "--insecure-storage", "--from-stdin"];
    const input = JSON.stringify({ email: "bench@example.com", password: "correct horse" });
    await execa(program ?? "", [...words, ...args], { env: { ...process.env, ...this.env }, input });
  }
}

/** The version that bw says. */
export function bwVersion(): string {
  const [node, file] = BW;
  return spawnSync(node, [file, "--version"], { encoding: "utf8" }).stdout.trim();
}
