import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import type { User } from "../../doubles/bitwarden/accounts.ts";
import type { ReadItem } from "../../doubles/bitwarden/plain.ts";
import { BitwardenDouble } from "../../doubles/bitwarden/server.ts";
import { type Build, Place } from "../../scripts/harness.ts";
import type { Result, Running } from "../../scripts/running.ts";
import { quickBw } from "../bw/quick.ts";

/** An old vault, a new one, the same person in both, and a home to migrate from. */
export class Vaults {
  readonly old: BitwardenDouble;
  readonly new: BitwardenDouble;
  readonly user: { readonly old: User; readonly new: User };
  readonly place: Place;

  private constructor(build: Build, old: BitwardenDouble, next: BitwardenDouble, user: Vaults["user"]) {
    this.old = old;
    this.new = next;
    this.user = user;
    this.place = new Place(build);
    mkdirSync(this.place.file("tmp"));
    const certificates = this.place.file("doubles.pem");
    writeFileSync(certificates, [old, next].map(({ caFile }) => readFileSync(caFile, "utf8")).join("\n"));
    Object.assign(this.place.env, {
      PATH: [quickBw(this.place.file("bw")), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
      NODE_EXTRA_CA_CERTS: certificates,
      TMPDIR: this.place.file("tmp"),
      XDG_RUNTIME_DIR: undefined,
    });
  }

  static async make(build: Build): Promise<Vaults> {
    const [old, next] = await Promise.all([
      BitwardenDouble.start({ vaultwarden: true }),
      BitwardenDouble.start({ vaultwarden: false }),
    ]);
    const user = {
      old: await old.addUser({ email: "ann@example.com", password: `old ${randomUUID()}` }),
      new: await next.addUser({ email: "ann@example.org", password: `new ${randomUUID()}` }),
    };
    return new Vaults(build, old, next, user);
  }

  /** What standard input says: who signs in, the source by its API key. */
  keys(more: object = {}): string {
    const { clientId, clientSecret, password } = this.user.old;
    const source = { clientId, clientSecret, password };
    const destination = { email: this.user.new.email, password: this.user.new.password };
    return JSON.stringify({ source, destination, ...more });
  }

  /** The words of a migration, without who signs in. */
  words(args: readonly string[] = []): string[] {
    return ["secrets", "migrate", "--from", this.old.url, "--to", this.new.url, ...args];
  }

  start(args: readonly string[] = [], input = this.keys()): Running {
    return this.place.start([...this.words(["--from-stdin"]), ...args], { input });
  }

  migrate(args: readonly string[] = [], input?: string): Promise<Result> {
    return this.start(args, input).ended;
  }

  /** Both vaults as they are, in a form that is the same when they hold the same. */
  holdings(): { readonly old: readonly string[]; readonly new: readonly string[] } {
    return { old: digest(this.old, this.user.old), new: digest(this.new, this.user.new) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.place[Symbol.dispose]();
    await Promise.all([this.old.stop(), this.new.stop()]);
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
