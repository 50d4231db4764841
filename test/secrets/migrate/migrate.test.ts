import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, test } from "vitest";
import { Bw } from "../../doubles/bitwarden/bw.ts";
import { BUILDS, NPM, STANDALONE } from "../../scripts/harness.ts";
import { CANARY, item, items } from "./items.ts";
import { Vaults } from "./vaults.ts";
import { Watch } from "./watch.ts";

/** Both builds, over the real bw on both sides: a double that answers like Vaultwarden, and one that answers like the cloud. */

const report = (stdout: string) => JSON.parse(stdout) as Record<string, never>;
const file = (fileName: string, size: number) => ({ fileName, data: randomBytes(size) });
const NOW = "2026-01-02T03:04:05.000Z";
const IMPORT = "/api/ciphers/import";
const UPLOAD = /^\/api\/ciphers\/[^/]+\/attachment\/v2$/;

describe.concurrent("alai secrets migrate", { timeout: 600_000 }, () => {
  test.for(BUILDS)(
    "$name: everything arrives as it is, nothing in clear anywhere; what stays is named; a second run adds nothing, a rollback takes it back",
    async (build, { expect }) => {
      await using vaults = await Vaults.make(build);
      const { old, user, place } = vaults;
      old.seed(user.old, items(12), ["Empty"]);
      const twice = { ...item(1), attachments: [file("schlüssel 🗝️.bin", 90_000), file("a.txt", 10)] };
      old.seed(user.old, [
        twice,
        { ...twice, attachments: [file("other.txt", 20)] },
        { ...item(2), archivedDate: NOW },
      ]);
      old.seed(user.old, [{ type: 2, name: "", notes: " \n", secureNote: { type: 0 } }]);
      seedWhatStays(vaults);
      const needles = [CANARY, user.old.password, user.new.password];
      const watch = new Watch([place.dir], needles, [user.old.clientSecret]);
      const first = await vaults.migrate();
      watch.stop();
      expect(first.code, first.stderr).toBe(0);
      expect([...watch.found]).toEqual([]);
      expect(watch.looks).toBeGreaterThan(0);
      expect(first.stderr).toMatch(/^not moved: 1 items in the trash: .*: "Login 3"$/m);
      expect(first.stderr).toMatch(/^not moved: 1 Sends: .*: "A link"$/m);
      expect(first.stderr).toMatch(/^not moved: 2 items of organizations: .*"Shared \(Acme: Infra, Ops\)"/m);
      expect(first.stderr).toMatch(/^not moved: 3 collections of organizations: .*"Acme: Nothing"/m);
      expect(first.stderr.split("--backup FILE")).toHaveLength(2);
      expect(first.stderr).toContain("added 16 items, 3 files and 5 folders");
      const holdings = vaults.holdings();
      expect(holdings.new).toEqual(holdings.old);
      expect(folderNames(vaults)).toEqual([...old.plain(user.old).folders.map(({ name }) => name)].sort());

      const second = report((await vaults.migrate(["--json"])).stdout);
      expect(second).toMatchObject({ equal: true, differences: [], items: 0, files: 0, folders: 0, extra: 0 });
      expect(second.left).toMatchObject([
        { what: "items in the trash", count: 1, names: ["Login 3"] },
        { what: "Sends", count: 1, names: ["A link"] },
        { what: "items of organizations", count: 2, names: ["Item 1 (Acme: Ops)", "Shared (Acme: Infra, Ops)"] },
        { what: "collections of organizations", count: 3, names: ["Acme: Infra", "Acme: Nothing", "Acme: Ops"] },
        { what: "dates of creation and change", count: 16, names: [] },
      ]);
      expect(JSON.stringify(second)).not.toContain(CANARY);
      expect(vaults.holdings().new).toEqual(holdings.old);

      const back = await vaults.migrate(["--rollback", "--json"]);
      expect(back.code, back.stderr).toBe(0);
      expect(report(back.stdout)).toMatchObject({ items: 16, folders: 5, kept: [] });
      expect([vaults.holdings().new, folderNames(vaults)]).toEqual([[], []]);
      expect(vaults.holdings().old).toEqual(holdings.old);
      expect([old.unknown, vaults.new.unknown]).toEqual([[], []]);
    },
  );

  test("killed in the middle it goes on; what is lost is named, and brought by the next; what was changed there stays", async ({
    expect,
  }) => {
    await using vaults = await Vaults.make(STANDALONE);
    const { old, user } = vaults;
    old.seed(user.old, items(20));
    vaults.new.seed(user.new, [
      item(4),
      { type: 2, name: "Mine", notes: "n", secureNote: { type: 0 }, folder: "Work" },
    ]);
    const before = vaults.holdings().new;
    vaults.new.loseNext(user.new, 1);
    const killed = vaults.start();
    vaults.new.whenAnswered(IMPORT, () => killed.signal("SIGKILL"));
    await killed.ended;
    await expect.poll(() => unsealedBy(killed.pid), { timeout: 60_000 }).toEqual([]);

    vaults.new.loseNext(user.new, 1);
    const lossy = await vaults.migrate();
    expect(lossy.code, lossy.stderr).toBe(1);
    expect(lossy.stderr).toMatch(/missing: \S+ ".+"/);
    expect(lossy.stderr).toContain("added 1 items");
    expect(lossy.stderr).toContain("NOT equal: 1 differences");
    expect(lossy.stderr).not.toContain(CANARY);
    expect(vaults.holdings().new).toHaveLength(21);

    const [added, other] = itemsNamed(vaults, "Login 13", "Login 15");
    edit(vaults, added ?? "", "changed by hand");
    vaults.new.dropItem(other ?? "");
    const again = report((await vaults.migrate(["--json"])).stdout);
    expect(again).toMatchObject({ items: 2, equal: false });
    expect(again.differences).toEqual([
      expect.objectContaining({ name: "Login 13", problem: "changed there since", what: ["folder"] }),
    ]);
    expect(vaults.holdings().new).toHaveLength(22);

    const back = await vaults.migrate(["--rollback", "--json"]);
    expect(back.code).toBe(1);
    expect(report(back.stdout)).toMatchObject({ kept: [expect.objectContaining({ name: "Login 13" })] });
    expect(vaults.holdings().new.filter((text) => !text.includes("Login 13"))).toEqual(before);
    expect(folderNames(vaults)).toEqual(["Work", "changed by hand"]);
  });

  test("killed while it brings files, it knows them for its own: a rollback takes everything back", async ({
    expect,
  }) => {
    await using vaults = await Vaults.make(NPM);
    const { old, user } = vaults;
    const attachments = [file("a.bin", 1000), file("b.bin", 2000), file("c.bin", 3000)];
    old.seed(user.old, [{ ...item(1), attachments }]);
    const killed = vaults.start();
    // Two are there then, and of the third the name.
    vaults.new.whenAnswered(UPLOAD, () =>
      vaults.new.whenAnswered(UPLOAD, () => vaults.new.whenAnswered(UPLOAD, () => killed.signal("SIGKILL"))),
    );
    expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });
    const [account] = vaults.new.accounts.all;
    expect([...(account?.vault.ciphers.values() ?? [])].map(({ attachments }) => attachments.size)).toEqual([3]);
    const again = await vaults.migrate();
    expect(again.code, again.stderr).toBe(0);
    expect(vaults.holdings().new).toEqual(vaults.holdings().old);
    const back = await vaults.migrate(["--rollback", "--json"]);
    expect(back.code, back.stderr).toBe(0);
    expect(report(back.stdout)).toMatchObject({ items: 1, kept: [] });
    expect(vaults.holdings().new).toEqual([]);
  });

  test("busy servers are waited for; the backup opens in bw and is never written over; doctor then finds who still asks the old server", async ({
    expect,
  }) => {
    await using vaults = await Vaults.make(NPM);
    const { old, user, place } = vaults;
    old.seed(user.old, [...items(6), { ...item(1), attachments: [file("a.bin", 1000)] }]);
    vaults.new.fail({ path: IMPORT, status: 429, times: 1 });
    vaults.new.fail({ path: IMPORT, status: 500, times: 1 });
    vaults.new.fail({ path: "/attachment", status: 429, times: 1 });
    vaults.new.fail({ path: /^\/blobs\//, status: 503, times: 1 });
    old.fail({ path: "/api/sync", status: 500, times: 1, after: 2 });
    const backup = place.file("backup.json");
    const keys = vaults.keys({ backupPassphrase: "a long passphrase" });
    const done = await vaults.migrate(["--backup", backup], keys);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).not.toContain("--backup FILE");
    const holdings = vaults.holdings();
    expect(holdings.new).toEqual(holdings.old);
    // An upload that was cut off: its name is there, and no bytes.
    const vault = vaults.new.accounts.byEmail(user.new.email)?.vault;
    for (const { attachments } of vault?.ciphers.values() ?? [])
      for (const one of attachments.values()) one.bytes = null;
    touchBeforeUpload(vaults);
    expect(report((await vaults.migrate(["--json"])).stdout)).toMatchObject({ equal: true, items: 0, files: 1 });
    expect(vaults.holdings().new).toEqual(holdings.old);

    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(readFileSync(backup, "utf8")).not.toContain(CANARY);
    const refused = await vaults.migrate(["--backup", backup], keys);
    expect(refused).toMatchObject({ code: 64, stderr: expect.stringContaining("never written over") });
    expect(await namesIn(vaults, backup, "a long passphrase")).toEqual(
      old
        .plain(user.old)
        .items.map(({ name }) => name)
        .sort(),
    );
    const { host } = new URL(old.url);
    writeFileSync(place.file("home/.zshrc"), `alias x=y\nexport VAULT=https://${host}/\n`);
    writeFileSync(place.file("home/.bashrc"), `export OTHER=https://my-${host}/\n`);
    const { stdout } = await place.run("doctor --json", { env: { OLD_VAULT: old.url } });
    const found = (JSON.parse(stdout) as { check: string; finding: string }[]).filter(
      ({ check }) => check === "old vault",
    );
    expect(found.map(({ finding }) => finding.split(" still ")[0])).toEqual(["the variable OLD_VAULT", "~/.zshrc:2"]);
  });

  test("says in one sentence what is wrong, on which side, and shows no secret", async ({ expect }) => {
    await using vaults = await Vaults.make(STANDALONE);
    const { user } = vaults;
    vaults.old.seed(user.old, items(3));
    const wrong = JSON.parse(vaults.keys());
    wrong.destination.password = `${CANARY} wrong`;
    const said = await vaults.migrate([], JSON.stringify(wrong));
    expect(said).toMatchObject({ code: 4, stderr: expect.stringContaining(`The destination (${vaults.new.url})`) });
    vaults.new.whenAnswered(IMPORT, () => vaults.new.signOutEverywhere(user.new));
    const out = await vaults.migrate();
    expect(out).toMatchObject({ code: 4, stderr: expect.stringContaining("has signed this machine out") });
    const unclear = await vaults.migrate([], JSON.stringify({ source: { password: CANARY, email: user.old.email } }));
    expect(unclear).toMatchObject({ code: 64, stderr: expect.stringContaining("the destination") });
    const broken = await vaults.migrate([], `{"source":"${CANARY}`);
    expect(broken).toMatchObject({ code: 64 });
    const back = await vaults.migrate(["--rollback"]);
    // It ended before it could look what had arrived; the journal knows what was under way.
    expect(back).toMatchObject({ code: 0, stderr: expect.stringContaining("took back 3 items") });
    expect(vaults.holdings().new).toEqual([]);
    const none = await vaults.migrate(["--rollback"]);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("has not brought anything") });
    expect([said, out, unclear, broken, back, none].map(({ stderr }) => stderr).join()).not.toContain(CANARY);
    const cloud = await vaults.place.run("secrets migrate --from https://v.example.com --to cloud.bitwarden.com");
    expect(cloud).toMatchObject({ code: 64, stderr: expect.stringContaining("--to us or --to eu") });
  });
});

/** What no client moves: trash, a Send, and what an organization shares, equal to an own item in part. */
function seedWhatStays({ old, user }: Vaults): void {
  old.seed(user.old, [{ ...item(3), deletedDate: NOW }]);
  old.send(user.old, "A link", `${CANARY} behind a link`);
  const shared = { type: 1, name: "Shared", login: { username: "all", password: `${CANARY} of all` } };
  const items = [
    { item: shared, collections: ["Infra", "Ops"] },
    { item: { ...shared, name: "Item 1" }, collections: ["Ops"] },
  ];
  old.share([user.old], "Acme", items, ["Nothing"]);
}

function unsealedBy(pid: number): string[] {
  return readdirSync("/dev/shm").filter((name) => name.startsWith(`alai-bw-${pid}.`));
}

/** What the real bw, untouched, imports from a backup for somebody else. */
async function namesIn({ new: next }: Vaults, backup: string, passphrase: string): Promise<string[]> {
  const bob = await next.addUser({ email: "bob@example.org", password: "bob's password" });
  const bw = await Bw.on(next);
  try {
    bw.session = await bw.ok(["login", bob.email, "--passwordenv", "PW", "--raw"], { PW: bob.password });
    await bw.ok(["import", "bitwardenjson", backup, "--passwordenv", "EXPORT"], { EXPORT: passphrase });
    return next
      .plain(bob)
      .items.map(({ name }) => name)
      .sort();
  } finally {
    await bw.remove();
  }
}

/** Somebody changes the item just before a file is sent to it. */
function touchBeforeUpload({ new: { requests, accounts }, user }: Vaults): void {
  const push = requests.push.bind(requests);
  requests.push = (seen) => {
    const [, id] = /ciphers\/([^/]+)\/attachment\/v2$/.exec(seen.path) ?? [];
    const cipher = id && accounts.byEmail(user.new.email)?.vault.ciphers.get(id);
    if (cipher) {
      cipher.revisionDate = new Date(Date.now() + 60_000).toISOString();
      requests.push = push;
    }
    return push(seen);
  };
}

function folderNames({ new: next, user }: Vaults): string[] {
  return next
    .plain(user.new)
    .folders.map(({ name }) => name)
    .sort();
}

function itemsNamed({ new: next, user }: Vaults, ...names: string[]): (string | undefined)[] {
  return names.map((name) => next.plain(user.new).items.find((one) => one.name === name)?.id);
}

/** As a person would in the web vault: the item goes to another folder. */
function edit({ new: next, user }: Vaults, id: string, folder: string): void {
  const [seeded] = next.seed(user.new, [{ type: 2, name: "x", folder }]);
  const vault = next.accounts.byEmail(user.new.email)?.vault;
  const place = vault?.cipher(seeded ?? "").fields.folderId ?? null;
  vault?.removeCipher(seeded ?? "");
  const cipher = vault?.cipher(id);
  if (cipher) vault?.editCipher(id, { ...cipher.fields, folderId: place }, undefined);
}
