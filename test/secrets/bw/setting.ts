import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { Context } from "../../../src/kit/context.ts";
import { createContext } from "../../../src/kit/context.ts";
import { unlockVault } from "../../../src/secrets/sign-in.ts";
import type { User } from "../../doubles/bitwarden/accounts.ts";
import { BitwardenDouble, type Options } from "../../doubles/bitwarden/server.ts";
import { type Build, NPM, Place } from "../../scripts/harness.ts";
import { quickBw } from "./quick.ts";

const root = join(import.meta.dirname, "..", "..", "..");

/** Where the real bw is as npm installed it; settings have a quicker one. */
export const BIN = join(root, "node_modules", ".bin");

/** A server with one person, and a home that has bw but no keychain. */
export class Setting {
  readonly double: BitwardenDouble;
  readonly user: User;
  readonly place: Place;
  readonly password: string;

  private constructor(double: BitwardenDouble, user: User, build: Build) {
    this.double = double;
    this.user = user;
    this.password = user.password;
    this.place = new Place(build);
    Object.assign(this.place.env, {
      PATH: [quickBw(this.place.file("bw")), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      NODE_EXTRA_CA_CERTS: double.caFile,
      XDG_RUNTIME_DIR: undefined,
      CI: "1",
    });
  }

  static async make(build: Build = NPM, options: Options = {}): Promise<Setting> {
    const double = await BitwardenDouble.start(options);
    // Found nowhere else: where it turns up, it leaked.
    const password = `correct horse ${randomBytes(9).toString("hex")}`;
    const user = await double.addUser({ email: `ann-${randomBytes(4).toString("hex")}@example.com`, password });
    return new Setting(double, user, build);
  }

  get apiKey(): { BW_CLIENTID: string; BW_CLIENTSECRET: string } {
    return { BW_CLIENTID: this.user.clientId, BW_CLIENTSECRET: this.user.clientSecret };
  }

  /** Items with these passwords. */
  seed(items: Readonly<Record<string, string>>): string[] {
    return this.double.seed(
      this.user,
      Object.entries(items).map(([name, password]) => ({ type: 1, name, folder: "Work", login: { password } })),
    );
  }

  /** Signs in by API key and unlocks. */
  async unlock(): Promise<void> {
    await this.place.ok(["secrets", "unlock", "--server", this.double.url, "--insecure-storage"], {
      input: `${this.password}\n`,
      env: this.apiKey,
    });
  }

  /** A home with the same in it, for a build of its own: what was prepared once need not be prepared again. */
  copyFor(build: Build): Place {
    const place = new Place(build);
    cpSync(this.place.file("home"), place.file("home"), { recursive: true });
    for (const name of ["PATH", "NODE_EXTRA_CA_CERTS", "XDG_RUNTIME_DIR", "CI"]) place.env[name] = this.place.env[name];
    return place;
  }

  /** As a command of this process sees this home. */
  context(
    more: { clock?: () => number; platform?: string; env?: Record<string, string> } = {},
  ): Context & { said: string[] } {
    const said: string[] = [];
    const context = createContext({
      io: {
        ...{ stdinIsTty: false, stdoutIsTty: false, stderrIsTty: false, columns: 80 },
        out: () => {},
        err: (text) => said.push(text),
        readStdin: async () => "",
        stderrStream: () => process.stderr,
      },
      env: { ...this.place.env, ...more.env },
      platform: more.platform ?? "linux",
      cwd: this.place.dir,
      version: "0.0.0",
      self: [...this.place.build.command],
      onSignal: () => () => {},
      ...(more.clock && { clock: more.clock }),
    });
    return Object.assign(context, { said });
  }

  /** The same as `unlock`, in this process. */
  async unlockHere(context: Context, password = this.password): Promise<void> {
    const { clientId, clientSecret } = this.user;
    const given = { clientId, clientSecret, password };
    await unlockVault(context, "default", {
      ...{ server: this.double.url, email: undefined, apiKey: false, insecure: true },
      given,
    });
  }

  /** A program called bw. @returns its folder, for PATH. */
  fakeBw(script: string): string {
    const folder = this.place.file(`fake-${randomBytes(4).toString("hex")}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "bw"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.place[Symbol.dispose]();
    await this.double.stop();
  }
}
