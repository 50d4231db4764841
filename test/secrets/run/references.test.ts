import { describe, expect, test } from "vitest";
import { listItems } from "../../../src/secrets/list.ts";
import { formatReference, parseReference } from "../../../src/secrets/reference.ts";
import { resolveAll } from "../../../src/secrets/resolve.ts";
import type { Vault, VaultItem } from "../../../src/secrets/vault.ts";

/** What references mean, over a vault in memory. */

let made = 0;
const EMPTY = { folderId: null, notes: null };

function login(name: string, password: string | null, more: Partial<VaultItem> = {}): VaultItem {
  const id = `00000000-0000-4000-8000-${String(++made).padStart(12, "0")}`;
  return { ...EMPTY, id, name, type: 1, login: { username: null, password, totp: null, uris: [] }, ...more };
}

function vaultOf(items: readonly VaultItem[]): Vault {
  return {
    items: async () => items,
    folders: async () => [
      { id: null, name: "No Folder" },
      { id: "f-work", name: "Work" },
      { id: "f-nested", name: "Work/Deep" },
      { id: "f-github", name: "GitHub" },
    ],
    totp: async () => "123456",
    sync: async () => {},
    close: async () => {},
  };
}

async function read(items: readonly VaultItem[], raw: string): Promise<string> {
  const [found] = await resolveAll(vaultOf(items), [parseReference(raw)]);
  if (!found) throw new Error("nothing");
  return "value" in found ? found.value : `${found.code}: ${found.message} ${found.hint}`;
}

const work = { folderId: "f-work" };

describe("references", () => {
  const full = login("GitHub", "pw", {
    notes: "a note",
    login: { username: "ann", password: "pw", totp: "SEED", uris: [{ uri: "https://x" }] },
    fields: [
      { name: "API key", value: "k1", type: 1 },
      { name: "a/b", value: "slash", type: 0 },
      { name: "none", value: null, type: 0 },
    ],
  });
  const card = login("Visa", null, { type: 3, card: { number: "4111", code: "123", brand: null } });
  const ssh = login("Key", null, { type: 5, sshKey: { privateKey: "PRIVATE", publicKey: "PUBLIC" } });
  const note = login("Memo", null, { type: 2, notes: "remember" });
  const person = login("Me", null, { type: 4, identity: { email: "me@x", firstName: "Ann" } });
  const all = [full, card, ssh, note, person];

  test.each([
    ["bw://GitHub", "pw"],
    [`bw://${full.id}`, "pw"],
    [`bw://${full.id.toUpperCase()}/login.password`, "pw"],
    ["bw://GitHub/password", "pw"],
    ["bw://GitHub/Username", "ann"],
    ["bw://GitHub/login.uri", "https://x"],
    ["bw://GitHub/url", "https://x"],
    ["bw://GitHub/totp", "123456"],
    ["bw://GitHub/notes", "a note"],
    ["bw://GitHub/API key", "k1"],
    ["bw://GitHub/API%20key", "k1"],
    ["bw://GitHub/field.API key", "k1"],
    ["bw://GitHub/a%2Fb", "slash"],
    ["bw://Visa", "4111"],
    ["bw://Visa/cvv", "123"],
    ["bw://Visa/card.code", "123"],
    ["bw://Key", "PRIVATE"],
    ["bw://Key/public_key", "PUBLIC"],
    ["bw://Key/sshKey.publicKey", "PUBLIC"],
    ["bw://Memo", "remember"],
    ["bw://Me/firstname", "Ann"],
  ])("%s", async (raw, value) => expect(await read(all, raw)).toBe(value));

  test("an empty field, a field that is not there: said with the names of those that are, and no value", async () => {
    expect(await read(all, "bw://GitHub/none")).toBe(
      'empty: field.none of "GitHub" is empty. It has: login.username, login.password, login.totp, login.uri, notes, field.API key, field.a/b.',
    );
    expect(await read(all, "bw://Visa/pin")).toBe(
      'not_found: "Visa" has no field "pin". It has: card.number, card.code.',
    );
  });

  test("nothing of that name: the nearest names", async () => {
    expect(await read(all, "bw://Githup/token")).toBe(
      "not_found: There is no bw://Githup/token in the vault. Did you mean bw://GitHub?",
    );
    expect(await read(all, "bw://Zzz")).toContain("Type alai secrets list");
    // Names are names: another case is another one.
    expect(await read(all, "bw://github")).toContain("Did you mean bw://GitHub?");
  });

  test("folders, also nested ones", async () => {
    const items = [login("DB", "one", work), login("DB", "two", { folderId: "f-nested" })];
    expect(await read(items, "bw://Work/DB")).toBe("one");
    expect(await read(items, "bw://Work/DB/login.password")).toBe("one");
    expect(await read(items, "bw://Work/Deep/DB")).toBe("two");
    expect(await read(items, "bw://Work%2FDeep/DB/password")).toBe("two");
    expect(await read(items, "bw://DB")).toBe(
      `ambiguous: 2 things of the vault are called bw://DB. Type one of: bw://Work/DB ("DB" in "Work"), bw://Work/Deep/DB ("DB" in "Work/Deep").`,
    );
  });

  test("a folder's item and an item's field of one name: nothing is guessed", async () => {
    const items = [login("GitHub", "the login's"), login("password", "the item's", { folderId: "f-github" })];
    const said = await read(items, "bw://GitHub/password");
    expect(said).toMatch(/^ambiguous: 2 things/);
    expect(said).not.toMatch(/login's|item's/);
    const ways = [...said.matchAll(/(?<=: |, )bw:\/\/[^ ]+/g)].map(([way]) => way);
    expect(await Promise.all(ways.map((way) => read(items, way)))).toEqual(["the item's", "the login's"]);
  });

  test("what is offered can be pasted: short, readable where that means one thing, quoted for a shell, the nearest first", async () => {
    const items = [
      ...[login("Git", "1"), login("GitHub old", "2"), login("GitHub", "3", work)],
      ...[login("It's a Twin", "4", work), login("It's a Twin", "5")],
    ];
    expect(await read(items, "bw://Githu")).toContain("Did you mean bw://GitHub or bw://Git or 'bw://GitHub old'?");
    expect(await read(items, "bw://It's a Twin")).toContain(
      `Type one of: 'bw://Work/It'\\''s a Twin' ("It's a Twin" in "Work"), bw://${items[4]?.id}`,
    );
  });

  test("of two items of a name the one with the field is not guessed either", async () => {
    const token = { fields: [{ name: "token", value: "t", type: 1 }] };
    const items = [login("GitHub", "a", token), login("GitHub", "b", work)];
    expect(await read(items, "bw://GitHub/token")).toMatch(/^ambiguous: 2 things/);
    expect(await read([login("GitHub", "a", token)], "bw://GitHub/token")).toBe("t");
  });

  test("a field of the user's own beside one of the same name", async () => {
    const own = login("X", "built in", { fields: [{ name: "password", value: "own", type: 1 }] });
    expect(await read([own], "bw://X")).toBe("built in");
    expect(await read([own], "bw://X/password")).toMatch(/^ambiguous: .*Type one of: bw:\/\/X, .*field\.password/);
    expect(await read([own], "bw://X/field.password")).toBe("own");
    const twice = login("Y", null, { fields: [1, 2].map((at) => ({ name: "k", value: `v${at}`, type: 1 })) });
    expect(await read([twice], "bw://Y/field.k")).toMatch(/^ambiguous: .*another name/);
  });

  test.each(["GitHub", "bw:GitHub", "bw://", "bw://a//b", "bw:///x", "bw://a/", "bw://100%"])("%s is none", (raw) => {
    expect(() => parseReference(raw)).toThrow();
  });

  test("what is listed reads back as that item; nothing secret is listed", async () => {
    const items = [
      ...all,
      login("DB", "one", work),
      login("DB", "two", { folderId: "f-nested" }),
      login("DB", "three"),
      login("a/b 100%", "odd"),
      login("Twin", "x", work),
      login("Twin", "y", work),
    ];
    const listed = await listItems(vaultOf(items), undefined, undefined);
    expect(listed).toHaveLength(items.length);
    for (const { id, reference } of listed) {
      const [found] = await resolveAll(vaultOf(items), [parseReference(reference)]);
      const [wanted] = await resolveAll(vaultOf(items), [parseReference(formatReference(id))]);
      expect([reference, found]).toEqual([reference, wanted]);
    }
    const byName = new Map(listed.map(({ name, folder, reference }) => [`${folder ?? ""}|${name}`, reference]));
    expect(byName.get("|GitHub")).toBe("bw://GitHub");
    expect(byName.get("Work|DB")).toBe("bw://Work/DB");
    expect(byName.get("|a/b 100%")).toBe("bw://a%2Fb 100%25");
    expect((await listItems(vaultOf(items), "Work", "tw")).map(({ name }) => name)).toEqual(["Twin", "Twin"]);
    await expect(listItems(vaultOf(items), "Nope", undefined)).rejects.toMatchObject({
      exit: 3,
      message: expect.stringContaining('There is no folder "Nope"'),
    });
    expect(JSON.stringify(listed)).not.toMatch(/PRIVATE|remember|4111|SEED/);
  });
});
