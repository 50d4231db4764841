import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BUILDS, STANDALONE } from "../../scripts/harness.ts";
import type { Running } from "../../scripts/running.ts";
import { onTerminal, quote } from "../../scripts/terminal.ts";
import { items } from "./items.ts";
import { Vaults } from "./vaults.ts";

/** What a migration asks a person, on a terminal. */

const PASSPHRASE = "several words of ann";

/** A migration that asks; what is typed comes later. */
function asking(vaults: Vaults, args: readonly string[]): Running {
  const line = `alai ${vaults.words(args).map(quote).join(" ")}`;
  return onTerminal(vaults.place, line, { input: null });
}

/** Answers questions in turn: each is typed when it is asked, not before. */
async function answer(running: Running, answers: readonly (readonly [RegExp, string])[]): Promise<void> {
  for (const [question, text] of answers) {
    await running.says(question, 60_000);
    running.child.stdin?.write(`${text}\r`);
  }
}

/** The source by its API key, the destination by e-mail address. */
function whoSignsIn({ old, user, new: next }: Vaults): readonly (readonly [RegExp, string])[] {
  return [
    [new RegExp(`The source, ${old.url}:[\\s\\S]*E-mail address`), ""],
    [/client_id of the API key:/, user.old.clientId],
    [/client_secret:/, user.old.clientSecret],
    [/The source[\s\S]*Master password:/, user.old.password],
    [new RegExp(`The destination, ${next.url}:[\\s\\S]*E-mail address`), user.new.email],
    [/The destination[\s\S]*Master password:/, user.new.password],
  ];
}

/** Nothing that was typed in secret was on the screen. */
function expectHidden(screen: string, { user }: Vaults): void {
  for (const secret of [user.old.clientSecret, user.old.password, user.new.password, PASSPHRASE])
    expect(screen).not.toContain(secret);
}

test("asks who signs in on both sides, and twice for the backup's passphrase; a dry run then changes nothing", async () => {
  await using vaults = await Vaults.make(STANDALONE);
  const { old, user, place } = vaults;
  old.seed(user.old, items(4));
  const backup = place.file("backup.json");
  const running = asking(vaults, ["--dry-run", "--backup", backup]);
  await answer(running, [
    ...whoSignsIn(vaults),
    [/A passphrase for the backup:/, PASSPHRASE],
    [/The same again:/, PASSPHRASE],
  ]);
  const { code, stdout } = await running.ended;
  expect(code, stdout).toBe(0);
  expect(stdout).toContain("would add 4 items, 0 files and 2 folders; nothing was changed");
  expectHidden(stdout, vaults);
  expect(vaults.holdings().new).toEqual([]);
  expect(vaults.new.requests.filter(({ path }) => path.includes("import"))).toEqual([]);
  expect(statSync(backup).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(backup, "utf8"))).toMatchObject({ encrypted: true, passwordProtected: true });
});

describe.each(BUILDS)("$name", (build) => {
  test("two passphrases that differ, or a short one, are refused before anybody signs in", async () => {
    await using vaults = await Vaults.make(build);
    const backup = vaults.place.file("backup.json");
    for (const [one, other, said] of [
      [PASSPHRASE, `${PASSPHRASE}.`, "The two are not the same."],
      ["short", "short", "fewer than 12 characters"],
    ] as const) {
      const running = asking(vaults, ["--backup", backup]);
      await answer(running, [...whoSignsIn(vaults), [/A passphrase/, one], [/The same again:/, other]]);
      const { code, stdout } = await running.ended;
      expect({ code, stdout }).toEqual({ code: 64, stdout: expect.stringContaining(said) });
      expectHidden(stdout, vaults);
    }
    expect(existsSync(backup)).toBe(false);
    expect(vaults.new.requests.filter(({ path }) => path.includes("token"))).toEqual([]);
  });

  test("Ctrl-C at the second password ends it with one word, and nobody has signed in", async () => {
    await using vaults = await Vaults.make(build);
    const running = asking(vaults, []);
    const all = whoSignsIn(vaults);
    await answer(running, all.slice(0, -1));
    await running.says(/The destination[\s\S]*Master password:/, 60_000);
    running.child.stdin?.write("\u0003");
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: expect.stringMatching(/Interrupted\.\s*$/) });
    expectHidden(stdout, vaults);
    expect([...vaults.old.requests, ...vaults.new.requests].filter(({ path }) => path.includes("token"))).toEqual([]);
  });

  test("where nobody can be asked it says what to add, and asks no server", async () => {
    await using vaults = await Vaults.make(build);
    const { code, stderr } = await vaults.place.run(vaults.words());
    expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining("add --from-stdin") });
    expect([...vaults.old.requests, ...vaults.new.requests]).toEqual([]);
  });
});
