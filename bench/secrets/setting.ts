import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { Bw } from "../../test/doubles/bitwarden/bw.ts";
import { BitwardenDouble } from "../../test/doubles/bitwarden/server.ts";
import { Op } from "../../test/doubles/op.ts";
import { Keychain } from "./keychain.ts";

const root = join(import.meta.dirname, "..", "..");

/** The words that start each build. */
export const BUILDS: Readonly<Record<"binary" | "npm build", readonly string[]>> = {
  binary: [join(root, "dist", "alai")],
  "npm build": [process.execPath, join(root, "dist", "npm", "alai.js")],
};
/** Bitwarden's own program, started as npm starts it. */
export const BW = [process.execPath, join(root, "node_modules", "@bitwarden", "cli", "build", "bw.js")] as const;

/**
 * An issuer, signed in at; a server with a vault of 20 logins, open in alai and, in a home of its own, in bw. What alai keeps is
 * sealed with a key in the system's keychain where this machine has gnome-keyring, else with one in a file.
 */
export class Setting {
  readonly dir = mkdtempSync(join(tmpdir(), "alai-bench-"));
  readonly double: BitwardenDouble;
  readonly #bw: Bw;
  #keychain: Keychain | null = null;
  readonly ids: readonly string[];
  /** Of alai. */
  readonly env: Record<string, string>;

  private constructor(double: BitwardenDouble, bw: Bw, ids: readonly string[]) {
    this.double = double;
    this.#bw = bw;
    this.ids = ids;
    const home = join(this.dir, "home");
    mkdirSync(home);
    // The bw of the project that one stands in is not taken.
    const bin = join(this.dir, "bin");
    mkdirSync(bin);
    symlinkSync(BW[1], join(bin, "bw"));
    this.env = {
      HOME: home,
      ...{
        XDG_CONFIG_HOME: join(home, ".config"),
        XDG_DATA_HOME: join(home, "data"),
        XDG_CACHE_HOME: join(home, "cache"),
      },
      PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
      NODE_EXTRA_CA_CERTS: double.caFile,
      ...{ ALAI_TOKEN: "", ALAI_PROFILE: "", ALAI_MC_URL: "", CI: "1", DBUS_SESSION_BUS_ADDRESS: "" },
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
    try {
      await setting.#open();
      return setting;
    } catch (error) {
      await setting.end();
      throw error;
    }
  }

  /** Where the key is. */
  get keptIn(): string {
    return this.#keychain ? "gnome-keyring" : "a file";
  }

  /** What bw needs to use its own vault. */
  get bwEnv(): Record<string, string> {
    const { home, session } = this.#bw;
    return { HOME: home, BITWARDENCLI_APPDATA_DIR: home, BW_SESSION: session, NODE_EXTRA_CA_CERTS: this.double.caFile };
  }

  async end(): Promise<void> {
    this.#keychain?.end();
    await this.#bw.remove();
    await this.double.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    this.#keychain = await Keychain.start(join(this.dir, "bus"), this.env);
    Object.assign(this.env, this.#keychain?.env);
    await this.#signIn();
    await this.#unlock();
  }

  /** With a token that is good for as long as the bench takes: nobody is asked for another. */
  async #signIn(): Promise<void> {
    await using op = await Op.start();
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const exp = Math.floor(Date.now() / 1000) + 4 * 3600;
    const token = `${part({ alg: "RS256" })}.${part({ sub: "bench", exp })}.c2lnbmF0dXJl`;
    const issuer = ["--issuer", op.issuer, "--client-id", "alai", "--scope", "tasks.read"];
    await this.#alai(["login", ...issuer, "--with-token"], `${token}\n`);
  }

  async #unlock(): Promise<void> {
    const input = JSON.stringify({ email: "bench@example.com", password: "correct horse" });
    await this.#alai(["secrets", "unlock", "--server", this.double.url, "--from-stdin"], input);
  }

  async #alai(words: readonly string[], input: string): Promise<void> {
    const [program = "", ...first] = BUILDS.binary;
    const storage = this.#keychain ? [] : ["--insecure-storage"];
    // The issuer and the vault's server are in this process: it must not stand still meanwhile.
    const run = promisify(execFile)(program, [...first, ...words, ...storage], {
      env: { ...process.env, ...this.env },
    });
    run.child.stdin?.end(input);
    await run;
  }
}

/** The version that bw says. */
export function bwVersion(): string {
  const [node, file] = BW;
  return spawnSync(node, [file, "--version"], { encoding: "utf8" }).stdout.trim();
}
