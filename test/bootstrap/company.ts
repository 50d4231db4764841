import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BitwardenDouble } from "../doubles/bitwarden/server.ts";
import { Op } from "../doubles/op.ts";
import type { Place } from "../scripts/harness.ts";
import { quickBw } from "../secrets/bw/quick.ts";

/** What a company has: an issuer, a vault, and a git repository for `~/.claude`. All of it on loopback, in one folder. */

const PASSWORD = "correct horse battery";

export const EXPECTED = [
  { what: "GitHub token", reference: "bw://GitHub" },
  { what: "Anthropic key", reference: "bw://Anthropic" },
] as const;

/** The value of `bw://Canary`: in no command line of any other test. */
export const CANARY = `canary-${randomUUID()}`;

export class Company {
  readonly op: Op;
  readonly vault: BitwardenDouble;
  readonly repository: string;
  readonly bitwarden: { readonly clientId: string; readonly clientSecret: string; readonly password: string };
  readonly #work: string;
  /** The folder of bw. */
  readonly #bin: string;

  private constructor(
    parts: Pick<Company, "op" | "vault" | "repository" | "bitwarden"> & { work: string; bin: string },
  ) {
    this.op = parts.op;
    this.vault = parts.vault;
    this.repository = parts.repository;
    this.bitwarden = parts.bitwarden;
    this.#work = parts.work;
    this.#bin = parts.bin;
  }

  static async start(place: Place): Promise<Company> {
    const [op, vault] = await Promise.all([Op.start(), BitwardenDouble.start()]);
    const user = await vault.addUser({ email: "forge@example.com", password: PASSWORD });
    vault.seed(user, [
      { type: 1, name: "GitHub", login: { username: "bot", password: "ghp-canary-0001" } },
      { type: 1, name: "Anthropic", login: { username: "bot", password: "sk-canary-0002" } },
      { type: 1, name: "Canary", login: { username: "bot", password: CANARY } },
    ]);
    const work = place.file("work");
    const repository = place.file("claude.git");
    git(place.dir, "init", "--quiet", "--bare", "--initial-branch=main", repository);
    git(place.dir, "clone", "--quiet", repository, work);
    const { clientId, clientSecret } = user;
    const company = new Company({
      op,
      vault,
      repository,
      work,
      bin: quickBw(place.file("bw")),
      bitwarden: { clientId, clientSecret, password: PASSWORD },
    });
    company.push({ "CLAUDE.md": "Be kind.\n" });
    return company;
  }

  /** Commits files to the repository of `~/.claude`. */
  push(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(this.#work, name, ".."), { recursive: true });
      writeFileSync(join(this.#work, name), text);
    }
    git(this.#work, "add", ".");
    git(this.#work, "commit", "--quiet", "-m", "more");
    git(this.#work, "push", "--quiet", "origin", "HEAD:main");
  }

  /** The profile as the company would host it, for a machine that signs in by itself. @param more other parts. */
  profile(more: Readonly<Record<string, unknown>> = {}): string {
    const issuer = { issuer: this.op.issuer, clientId: "ci", scopes: ["tasks.read"] };
    return JSON.stringify({
      issuer,
      secrets: { server: this.vault.url, expected: EXPECTED },
      claude: { repository: this.repository },
      ...more,
    });
  }

  /** What a host is given on standard input. */
  given(more: Readonly<Record<string, unknown>> = {}): string {
    return JSON.stringify({ clientSecret: "secret-secret-secret", bitwarden: this.bitwarden, ...more });
  }

  get env(): Record<string, string> {
    return { PATH: `${this.#bin}:${process.env.PATH}`, NODE_EXTRA_CA_CERTS: this.vault.caFile, ALAI_MC_DB: "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.op[Symbol.asyncDispose](), this.vault.stop()]);
  }
}

export function git(cwd: string, ...words: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
  return execFileSync("git", [...identity, ...words], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
