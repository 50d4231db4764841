import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { sweepFolders } from "../../../src/secrets/bw/folder.ts";
import { openVault } from "../../../src/secrets/open-vault.ts";
import { Setting } from "./setting.ts";
import { unsealedBy } from "./watch.ts";

/** The vault as other commands use it, in this process. */

const HOUR = 3_600_000;

describe("an unlocked vault", () => {
  test("gives items, folders and codes; sees a change after a sync; leaves nothing", async () => {
    await using setting = await Setting.make();
    const { double, user } = setting;
    const context = setting.context();
    double.seed(user, [
      { type: 1, name: "GitHub", folder: "Work", login: { password: "s3cr€t 🙂", totp: "JBSWY3DPEHPK3PXP" } },
      { type: 2, name: "Note", notes: "several\nlines" },
    ]);
    await setting.unlockHere(context);
    const vault = await openVault(context, "default");
    const asked = double.requests.length;
    const [items, folders] = await Promise.all([vault.items(), vault.folders()]);
    const hub = items.find(({ name }) => name === "GitHub");
    expect(items.map(({ name }) => name).sort()).toEqual(["GitHub", "Note"]);
    expect(hub?.login?.password).toBe("s3cr€t 🙂");
    expect(folders.find(({ id }) => id === hub?.folderId)?.name).toBe("Work");
    expect(await vault.totp(hub?.id ?? "")).toMatch(/^\d{6}$/);
    // Nothing of that asked the server.
    expect(double.requests).toHaveLength(asked);
    setting.seed({ npm: "x" });
    expect(await vault.items()).toHaveLength(2);
    await vault.sync();
    expect(await vault.items()).toHaveLength(3);
    await vault.close();
    expect(unsealedBy(process.pid)).toEqual([]);
    expect(double.unknown).toEqual([]);
  });

  test("where bw cannot serve, it is asked once for each list", async () => {
    await using setting = await Setting.make();
    const calls = setting.place.file("calls");
    const path = String(setting.place.env.PATH);
    const old = setting.fakeBw(`echo "$1" >> ${calls}; [ "$1" = serve ] && exit 1; PATH="${path}" exec bw "$@"`);
    setting.seed({ GitHub: "s3cret" });
    const own = setting.context({ env: { PATH: `${old}${delimiter}${path}` } });
    await setting.unlockHere(own);
    const vault = await openVault(own, "default");
    const [items, folders] = [await vault.items(), await vault.folders()];
    expect([items[0]?.login?.password, folders.some(({ name }) => name === "Work")]).toEqual(["s3cret", true]);
    await vault.close();
    expect(readFileSync(calls, "utf8").split("\n").slice(-4)).toEqual(["serve", "list", "list", ""]);
    expect(unsealedBy(process.pid)).toEqual([]);
  });

  test("is locked after 8 hours without use, not before, and not after a clock that was set back", async () => {
    await using setting = await Setting.make();
    let now = Date.now();
    const context = setting.context({ clock: () => now });
    await setting.unlockHere(context);
    const locked = { exit: 4, message: "The vault is locked.", hint: "Type alai secrets unlock." };
    now += 7.9 * HOUR;
    await (await openVault(context, "default")).close();
    now += 7.9 * HOUR;
    await (await openVault(context, "default")).close();
    now += 8 * HOUR;
    await expect(openVault(context, "default")).rejects.toMatchObject(locked);
    now -= 8 * HOUR;
    await expect(openVault(context, "default")).rejects.toMatchObject(locked);
    await expect(openVault(context, "other")).rejects.toMatchObject({ exit: 4, code: "signed_out" });
  });

  test("where no folder is in memory, bw's files are in one of the disk, which is said and goes", async () => {
    await using setting = await Setting.make();
    setting.seed({ GitHub: "s3cret" });
    const context = setting.context({ platform: "darwin" });
    await setting.unlockHere(context);
    const root = join(context.paths.data, "unsealed");
    expect(statSync(root).mode & 0o777).toBe(0o700);
    const vault = await openVault(context, "default");
    expect(await vault.items()).toHaveLength(1);
    expect(readdirSync(root)).toHaveLength(1);
    await vault.close();
    expect(readdirSync(root)).toEqual([]);
    expect(context.said.filter((line) => line.includes("no folder in memory"))).toHaveLength(1);
  });
});

test("folders of processes that are gone are removed, those of living ones and of others are not", async () => {
  await using setting = await Setting.make();
  const runtime = setting.place.file("runtime");
  const context = setting.context({ env: { XDG_RUNTIME_DIR: runtime } });
  const space = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  const names = {
    gone: `alai-bw-4194304.1.${space}-aaaaaa`,
    reused: `alai-bw-${process.pid}.1.${space}-aaaaaa`,
    foreign: "alai-bw-4194304.1.1-aaaaaa",
    other: "somebody-elses",
  };
  for (const name of Object.values(names)) mkdirSync(join(runtime, name), { recursive: true });
  sweepFolders(context);
  const left = Object.entries(names).flatMap(([what, name]) => (existsSync(join(runtime, name)) ? [what] : []));
  expect(left).toEqual(["foreign", "other"]);
});
