import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Bw } from "../../doubles/bitwarden/bw.ts";
import { CANARY, item, items, Vaults } from "./vaults.ts";
import { Watch } from "./watch.ts";

/** The real bw on both sides: a double that answers like Vaultwarden, and one that answers like the cloud. */

const report = (stdout: string) => JSON.parse(stdout) as Record<string, never>;
const file = (fileName: string, size: number) => ({ fileName, data: randomBytes(size) });

describe("alai secrets migrate", { timeout: 240_000 }, () => {
  test("a thousand items and files arrive as they are, killed in the middle; nothing is in clear anywhere", async () => {
    await using vaults = await Vaults.make();
    const { old, user, password } = vaults;
    old.seed(user.old, items(1000), ["Empty"]);
    const twice = { ...item(1), attachments: [file("schlüssel 🗝️.bin", 90_000), file("a.txt", 10)] };
    old.seed(user.old, [twice, { ...twice, attachments: [file("other.txt", 20)] }, { ...item(2), archivedDate: NOW }]);
    old.seed(user.old, [
      { ...item(3), deletedDate: NOW },
      { type: 2, name: "", notes: " \n", secureNote: { type: 0 } },
    ]);
    const watch = new Watch([vaults.home], [CANARY, password.old, password.new], [user.old.clientSecret]);
    const { child, ended } = vaults.start();
    await expect.poll(() => isImported(vaults), { timeout: 60_000, interval: 5 }).toBe(true);
    child.kill("SIGKILL");
    await ended;
    const second = await vaults.migrate(["--json"]);
    watch.stop();
    expect(second.code, second.stdout.slice(0, 3000)).toBe(0);
    const said = report(second.stdout);
    // What was imported before the kill is not imported again: here the first thousand, or what was left of them too.
    expect(said.items).toBeLessThan(5);
    expect(said).toMatchObject({ equal: true, differences: [], files: 3, extra: 0 });
    expect(said.left).toContainEqual(expect.objectContaining({ what: "items in the trash", count: 1 }));
    const holdings = vaults.holdings();
    expect(holdings.new).toEqual(holdings.old);
    expect(holdings.new).toHaveLength(1004);
    expect(folderNames(vaults)).toEqual(
      old
        .plain(user.old)
        .folders.map(({ name }) => name)
        .sort(),
    );
    expect([...watch.found]).toEqual([]);
    expect(watch.looks).toBeGreaterThan(1000);
    expect(readdirSync("/dev/shm").filter((name) => name.startsWith(`alai-bw-${child.pid}.`))).toEqual([]);
    expect([old.unknown, vaults.new.unknown]).toEqual([[], []]);
  });

  test("a dry run changes nothing; what is lost is named, and brought by the next; what was changed there stays; a rollback takes back the rest", async () => {
    await using vaults = await Vaults.make();
    const { old, user } = vaults;
    old.seed(user.old, [...items(20), { ...item(1), attachments: [file("a.bin", 1000)] }]);
    vaults.new.seed(user.new, [
      item(4),
      { type: 2, name: "Mine", notes: "n", secureNote: { type: 0 }, folder: "Work" },
    ]);
    const before = vaults.holdings().new;
    const dry = await vaults.migrate(["--dry-run", "--json"]);
    expect(dry.code).toBe(0);
    expect(report(dry.stdout)).toMatchObject({ dry_run: true, items: 21, files: 1, equal: false, extra: 2 });
    expect(vaults.holdings().new).toEqual(before);
    expect(JSON.stringify(vaults.new.requests.map(({ path }) => path))).not.toContain("import");

    vaults.new.loseNext(user.new, 1);
    const lossy = await vaults.migrate();
    expect(lossy.code).toBe(1);
    expect(lossy.stderr).toMatch(/missing: \S+ ".+"/);
    expect(lossy.stderr).toContain("NOT equal: 1 differences");
    expect(lossy.stderr).not.toContain(CANARY);
    expect(vaults.holdings().new).toHaveLength(22);

    const [added, other] = itemsNamed(vaults, "Login 3", "Login 5");
    edit(vaults, added ?? "", "changed by hand");
    vaults.new.dropItem(other ?? "");
    const again = await vaults.migrate(["--json"]);
    expect(again.code).toBe(1);
    expect(report(again.stdout)).toMatchObject({ items: 2, equal: false });
    expect(report(again.stdout).differences).toEqual([
      expect.objectContaining({ name: "Login 3", problem: "changed there since", what: ["folder"] }),
    ]);
    expect(vaults.holdings().new).toHaveLength(23);

    const back = await vaults.migrate(["--rollback", "--json"]);
    expect(back.code).toBe(1);
    expect(report(back.stdout)).toMatchObject({ items: 20, kept: [expect.objectContaining({ name: "Login 3" })] });
    expect(vaults.holdings().new.filter((text) => !text.includes("Login 3"))).toEqual(before);
    expect(folderNames(vaults)).toEqual(["Work", "changed by hand"]);
  });

  test("busy servers are waited for; the backup opens in bw and is never written over; doctor then finds who still asks the old server", async () => {
    await using vaults = await Vaults.make();
    const { old, user, home, env } = vaults;
    old.seed(user.old, [...items(6), { ...item(1), attachments: [file("a.bin", 1000)] }]);
    vaults.new.fail({ path: "/api/ciphers/import", status: 429, times: 1 });
    vaults.new.fail({ path: "/api/ciphers/import", status: 500, times: 1 });
    vaults.new.fail({ path: "/attachment", status: 429, times: 1 });
    vaults.new.fail({ path: /^\/blobs\//, status: 503, times: 1 });
    old.fail({ path: "/api/sync", status: 500, times: 1, after: 2 });
    const backup = join(home, "backup.json");
    const keys = vaults.keys({ backupPassphrase: "a long passphrase" });
    const done = await vaults.migrate(["--backup", backup], keys);
    expect(done.code, done.stderr).toBe(0);
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
    const bob = await vaults.new.addUser({ email: "bob@example.org", password: "bob's password" });
    const bw = await Bw.on(vaults.new);
    bw.session = await bw.ok(["login", bob.email, "--passwordenv", "PW", "--raw"], { PW: bob.password });
    await bw.ok(["import", "bitwardenjson", backup, "--passwordenv", "EXPORT"], { EXPORT: "a long passphrase" });
    expect(
      vaults.new
        .plain(bob)
        .items.map(({ name }) => name)
        .sort(),
    ).toEqual(
      old
        .plain(user.old)
        .items.map(({ name }) => name)
        .sort(),
    );
    await bw.remove();

    const { host } = new URL(old.url);
    writeFileSync(join(home, ".zshrc"), `alias x=y\nexport VAULT=https://${host}/\n`);
    writeFileSync(join(home, ".bashrc"), `export OTHER=https://my-${host}/\n`);
    const { stdout } = await vaults.alai(["doctor", "--json"], { ...env, OLD_VAULT: old.url });
    const found = (JSON.parse(stdout) as { check: string; finding: string }[]).filter(
      ({ check }) => check === "old vault",
    );
    expect(found.map(({ finding }) => finding.split(" still ")[0])).toEqual(["the variable OLD_VAULT", "~/.zshrc:2"]);
  });

  test("says in one sentence what is wrong, on which side, and shows no secret", async () => {
    await using vaults = await Vaults.make();
    const { user } = vaults;
    vaults.old.seed(user.old, items(3));
    const wrong = JSON.parse(vaults.keys());
    wrong.destination.password = `${CANARY} wrong`;
    const said = await vaults.migrate([], JSON.stringify(wrong));
    expect(said).toMatchObject({ code: 4, stderr: expect.stringContaining(`The destination (${vaults.new.url})`) });
    const { ended } = vaults.start();
    await expect.poll(() => isImported(vaults), { timeout: 60_000, interval: 5 }).toBe(true);
    vaults.new.signOutEverywhere(user.new);
    const out = await ended;
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
    const cloud = await vaults.alai([
      "secrets",
      "migrate",
      "--from",
      "https://v.example.com",
      "--to",
      "cloud.bitwarden.com",
    ]);
    expect(cloud).toMatchObject({ code: 64, stderr: expect.stringContaining("--to us or --to eu") });
  });
});

const NOW = "2026-01-02T03:04:05.000Z";

function isImported({ new: { requests } }: Vaults): boolean {
  return requests.some(({ path, status }) => path === "/api/ciphers/import" && status === 200);
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
