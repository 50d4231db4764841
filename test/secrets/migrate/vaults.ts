import { spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { User } from "../../doubles/bitwarden/accounts.ts";
import type { PlainItem, ReadItem } from "../../doubles/bitwarden/plain.ts";
import { BitwardenDouble, type Options } from "../../doubles/bitwarden/server.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** What one run of alai gave. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An old vault, a new one, the same person in both, and a home to migrate from. */
export class Vaults {
  readonly old: BitwardenDouble;
  readonly new: BitwardenDouble;
  readonly user: { readonly old: User; readonly new: User };
  readonly home = mkdtempSync(join(tmpdir(), "alai-migrate-"));
  readonly password = { old: `old ${randomUUID()}`, new: `new ${randomUUID()}` };
  readonly env: NodeJS.ProcessEnv;

  private constructor(old: BitwardenDouble, next: BitwardenDouble, password: Vaults["password"], user: Vaults["user"]) {
    this.old = old;
    this.new = next;
    this.password = password;
    this.user = user;
    mkdirSync(join(this.home, "tmp"));
    const certificates = join(this.home, "doubles.pem");
    writeFileSync(certificates, [old, next].map(({ caFile }) => readFileSync(caFile, "utf8")).join("\n"));
    this.env = {
      ...{ HOME: this.home, TMPDIR: join(this.home, "tmp"), NODE_EXTRA_CA_CERTS: certificates },
      PATH: [join(ROOT, "node_modules", ".bin"), process.env.PATH].join(delimiter),
    };
  }

  static async make(options: { old?: Options; new?: Options } = {}): Promise<Vaults> {
    const [old, next] = await Promise.all([
      BitwardenDouble.start({ vaultwarden: true, ...options.old }),
      BitwardenDouble.start({ ...options.new }),
    ]);
    const password = { old: `old ${randomUUID()}`, new: `new ${randomUUID()}` };
    const user = {
      old: await old.addUser({ email: "ann@example.com", password: password.old }),
      new: await next.addUser({ email: "ann@example.org", password: password.new }),
    };
    return new Vaults(old, next, password, user);
  }

  /** What standard input says: who signs in, the source by its API key. */
  keys(more: object = {}): string {
    const { clientId, clientSecret } = this.user.old;
    const source = { clientId, clientSecret, password: this.password.old };
    const destination = { email: this.user.new.email, password: this.password.new };
    return JSON.stringify({ source, destination, ...more });
  }

  start(args: readonly string[] = [], input = this.keys()) {
    const words = ["secrets", "migrate", "--from", this.old.url, "--to", this.new.url, "--from-stdin", ...args];
    return this.#run(words, input, this.env);
  }

  #run(words: readonly string[], input: string, env: NodeJS.ProcessEnv) {
    const child = spawn(process.execPath, [join(ROOT, "bin", "alai.ts"), ...words], { env, cwd: this.home });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const texts = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => (texts.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (texts.stderr += text));
    const ended = new Promise<Ran>((resolve) => {
      child.on("close", (code) => resolve({ code, ...texts }));
    });
    return { child, ended };
  }

  migrate(args: readonly string[] = [], input?: string): Promise<Ran> {
    return this.start(args, input).ended;
  }

  alai(words: readonly string[], env = this.env): Promise<Ran> {
    return this.#run(words, "", env).ended;
  }

  /** Both vaults as they are, in a form that is the same when they hold the same. */
  holdings(): { readonly old: readonly string[]; readonly new: readonly string[] } {
    return { old: digest(this.old, this.user.old), new: digest(this.new, this.user.new) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.old.stop(), this.new.stop()]);
    rmSync(this.home, { recursive: true, force: true });
  }
}

function digest(double: BitwardenDouble, user: User): string[] {
  const { items } = double.plain(user);
  return items
    .filter(({ deletedDate }) => !deletedDate)
    .map(describe)
    .sort();
}

/** By code of the test's own: what alai takes for equal must be so by this, too. */
function describe(item: ReadItem): string {
  const { id: _, creationDate: __, revisionDate: ___, archivedDate, attachments, ...rest } = item;
  const files = attachments.map(
    ({ fileName, data }) => `${fileName} ${createHash("sha256").update(data).digest("hex")}`,
  );
  const seen = JSON.stringify({ ...rest, archived: Boolean(archivedDate), files: files.sort() }, (key, value) => {
    if (!value || key === "uriChecksum" || key === "passwordRevisionDate") return undefined;
    if (Array.isArray(value) && value.length === 0) return undefined;
    if (typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
  return seen;
}

const passkey = (n: number) => ({
  ...{ credentialId: randomUUID(), keyType: "public-key", keyAlgorithm: "ECDSA", keyCurve: "P-256" },
  ...{ keyValue: randomBytes(60).toString("base64url"), rpId: "example.com", userHandle: "aGFuZGxl", counter: "0" },
  ...{ userName: `ann${n}`, rpName: "Example", userDisplayName: "Ann", discoverable: "true" },
  creationDate: "2024-05-06T07:08:09.000Z",
});

/** A part of each secret, so that a test finds any of them in clear. */
export const CANARY = "c4n4ry";
const secret = () => `${CANARY}-${randomBytes(9).toString("base64url")}`;

/** One of each kind; the number decides which. */
export function item(n: number): PlainItem {
  const folder = n % 7 === 0 ? null : FOLDERS[n % FOLDERS.length];
  const common = { folder, favorite: n % 11 === 0, reprompt: n % 13 === 0 ? 1 : 0 };
  const kind = n % 10;
  if (kind === 6) return { ...common, type: 2, name: `Note ${n}`, notes: noteOf(n), secureNote: { type: 0 } };
  if (kind === 7)
    return {
      ...{ ...common, type: 3, name: `Card ${n}`, notes: `line\nline ${n}` },
      card: {
        cardholderName: "Ann",
        brand: "Visa",
        number: `4111${n}`,
        expMonth: "1",
        expYear: "2031",
        code: secret(),
      },
    };
  if (kind === 8)
    return {
      ...{ ...common, type: 4, name: `Identity ${n}` },
      identity: { title: "Ms", firstName: "Ann", lastName: `L${n}`, ssn: secret(), email: "ann@example.com" },
    };
  if (kind === 9) return { ...common, type: 5, name: `Key ${n}`, sshKey: sshKey() };
  return { ...common, ...loginOf(n) };
}

function noteOf(n: number): string {
  return n % 100 === 6 ? `${secret()} ${"10 kB 🙂 ".repeat(910)}` : `  ${secret()}\n`;
}

function sshKey() {
  const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret()}\n-----END OPENSSH PRIVATE KEY-----\n`;
  return { privateKey, publicKey: "ssh-ed25519 AAAAC3Nza", keyFingerprint: `SHA256:${randomUUID()}` };
}

function loginOf(n: number): PlainItem {
  return {
    type: 1,
    name: n % 17 === 0 ? `Логин 🗝️ ${n}` : `Login ${n}`,
    notes: n % 3 === 0 ? "two\nlines" : null,
    login: {
      ...{ username: `ann+${n}@example.com`, password: secret(), totp: n % 4 === 0 ? "JBSWY3DPEHPK3PXP" : null },
      uris: [
        { uri: `https://${n}.example.com`, match: null },
        { uri: "https://example.org/ü?a=b", match: n % 6 },
      ],
      ...(n % 5 === 0 && { fido2Credentials: [passkey(n)] }),
    },
    fields: [
      { name: "token", value: secret(), type: 1 },
      { name: "on", value: "true", type: 2 },
      { name: "user", value: null, type: 3, linkedId: 100 },
    ],
    passwordHistory: [{ password: secret(), lastUsedDate: "2024-01-02T03:04:05.000Z" }],
  };
}

/** Fifty deep, with signs of all kinds. */
const FOLDERS: readonly string[] = [
  "Work",
  "Work/Servers 🖥️",
  Array.from({ length: 50 }, (_, n) => `d${n}`).join("/"),
  "Privat/Straße",
];

/** So many items, of which every fiftieth is there twice. */
export function items(count: number): PlainItem[] {
  const all: PlainItem[] = [];
  for (let n = 0; all.length < count; n++) {
    const one = item(n);
    all.push(one);
    if (n % 50 === 0 && all.length < count) all.push(one);
  }
  return all;
}
