import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Bringing } from "../../../src/secrets/migrate/bring-items.ts";
import {
  canonicalOf,
  differingFields,
  hashOf,
  isFragile,
  type RawItem,
} from "../../../src/secrets/migrate/canonical.ts";
import { differ } from "../../../src/secrets/migrate/difference.ts";
import { type Entry, takeInventory } from "../../../src/secrets/migrate/inventory.ts";
import { leftBehind } from "../../../src/secrets/migrate/left-behind.ts";
import { isPassing, Patience, SideRefusal } from "../../../src/secrets/migrate/patience.ts";
import type { Side } from "../../../src/secrets/migrate/side.ts";
import { storedIn, unreadableIn } from "../../../src/secrets/migrate/stored.ts";
import { decrypt, exportKey } from "../../doubles/bitwarden/crypto.ts";

const raw = (name: string, more: object = {}): RawItem => ({ id: randomUUID(), type: 1, name, ...more });

function entry(name: string, more: object = {}, folder: string | null = null): Entry {
  const item = raw(name, more);
  const canonical = canonicalOf(item, folder);
  const files = item.attachments ?? [];
  return { id: item.id, name, type: 1, folder, canonical, hash: hashOf(canonical), raw: item, files, unreadable: [] };
}

describe("what makes an item what it is", () => {
  const login = { username: "ann", password: "p", totp: null, uris: [{ uri: "https://a", match: null }] };
  const same = (one: object, other: object) => entry("x", one).hash === entry("x", other).hash;

  test("is the same on another server, with other ids, dates and keys, and with what is null, empty or absent", () => {
    const here = {
      login,
      fields: [],
      notes: null,
      key: "2.a|b|c",
      creationDate: "2020",
      folderId: "1",
      object: "item",
    };
    const there = {
      ...{ notes: "", creationDate: "2026", revisionDate: "2026", collectionIds: [] },
      login: { uris: [{ uri: "https://a" }], password: "p", username: "ann", passwordRevisionDate: "2024" },
    };
    expect(same(here, there)).toBe(true);
  });

  test.each([
    [{ login: { ...login, totp: "t" } }, ["login.totp"]],
    [{ login: { ...login, uris: [{ uri: "https://a", match: 0 }] } }, ["login.uris"]],
    [{ login, notes: " " }, ["notes"]],
    [{ login, favorite: true }, ["favorite"]],
    [{ login, reprompt: 1 }, ["reprompt"]],
    [{ login, fields: [{ name: "a", value: "b", type: 0 }] }, ["fields"]],
    [{ login, passwordHistory: [{ password: "o", lastUsedDate: "2020" }] }, ["passwordHistory"]],
    [{ login, archivedDate: "2020" }, ["archived"]],
    [{ login: { ...login, fido2Credentials: [{ credentialId: "1" }] } }, ["login.fido2Credentials"]],
  ])("differs by %j, which is named without its value", (other, fields) => {
    expect(same({ login }, other)).toBe(false);
    expect(differingFields(entry("x", { login }).canonical, entry("x", other).canonical)).toEqual(fields);
  });

  test("has no order where order means nothing, and has one where a person sees it", () => {
    const keys = (ids: string[]) => ({ login: { fido2Credentials: ids.map((credentialId) => ({ credentialId })) } });
    const uris = (all: string[]) => ({ login: { uris: all.map((uri) => ({ uri })) } });
    expect(same(keys(["1", "2"]), keys(["2", "1"]))).toBe(true);
    expect(same(uris(["1", "2"]), uris(["2", "1"]))).toBe(false);
    expect(entry("x", {}, "A").hash).not.toBe(entry("x", {}, "B").hash);
  });

  test("an import would tidy some", () => {
    expect(isFragile(raw("x", { notes: " a " }))).toBe(false);
    const history = Array.from({ length: 6 }, () => ({}));
    const fragile = [raw(" "), raw("x", { notes: " \n" }), raw("x", { passwordHistory: history })];
    expect(fragile.map(isFragile)).toEqual([true, true, true]);
  });
});

test("a difference counts equal items, and pairs those with the same files", () => {
  const file = (fileName: string) => ({ attachments: [{ id: randomUUID(), fileName, size: "1" }] });
  const source = [entry("a", file("1")), entry("a", file("2")), entry("a"), entry("b")];
  const destination = [entry("a"), entry("a", file("2")), entry("c")];
  const { pairs, missing, extra } = differ(source, destination);
  expect(pairs.map(([one, other]) => [one.files[0]?.fileName, other.files[0]?.fileName])).toEqual([
    ["2", "2"],
    [undefined, undefined],
  ]);
  expect(missing.map(({ name, files }) => [name, files.length])).toEqual([
    ["a", 1],
    ["b", 0],
  ]);
  expect(extra.map(({ name }) => name)).toEqual(["c"]);
});

test("texts that bw could not open are found: it shows them empty", () => {
  const long = `2.AAAA|${"A".repeat(44)}|AAAA`;
  const empty = `2.AAAA|${"A".repeat(24)}|AAAA`;
  const sealed = {
    id: "1",
    name: long,
    notes: empty,
    key: long,
    login: { username: long, password: long, totp: null },
  };
  expect(unreadableIn(sealed, { name: "n", login: { username: "u", password: "" } })).toEqual(["login.password"]);
  const data = { user_1_ciphers_ciphers: { 1: { deletedDate: null }, 2: { deletedDate: "2020" } } };
  expect(storedIn(JSON.stringify(data))).toMatchObject({ trash: 1, sends: 0 });
});

test("a list that is older than the last sync, or empty, is not taken at its word", async () => {
  const now = [raw("a", { revisionDate: "2026-01-02T00:00:00Z" }), raw("b", { revisionDate: "2026-01-02T00:00:00Z" })];
  const lists = [[], now.map((item) => ({ ...item, revisionDate: "2025-01-01T00:00:00Z" })), now.slice(1), now];
  const folders = [[], [{ id: "f", name: "Work" }]];
  const side = {
    items: async () => (lists.length > 1 ? lists.shift() : lists[0]),
    folders: async () => (lists.length === 1 && folders.length > 1 ? folders.shift() : folders[0]),
    stored: () => ({
      items: new Map(now.map((item) => [item.id, item])),
      folders: ["f"],
      trash: 0,
      sends: 0,
      organizations: 0,
    }),
  };
  const { entries, folders: names, hidden } = await takeInventory(side as unknown as Side);
  expect(entries.map(({ name }) => name)).toEqual(["a", "b"]);
  expect([[...names.keys()], hidden]).toEqual([["Work"], []]);
});

test("what an organization has is counted also where bw cannot open it, and is neither moved nor waited for", async () => {
  const own = raw("a");
  const [open, locked] = [
    raw("b", { organizationId: "o", collectionIds: ["c", "gone"] }),
    raw("x", { organizationId: "o" }),
  ];
  const side = {
    items: async () => [own, open],
    folders: async () => [],
    stored: () => ({
      ...{ items: new Map([own, open, locked].map((item) => [item.id, item])), folders: [] },
      ...{ trash: 2, sends: 1, organizations: 1 },
    }),
    organizations: async () => [{ id: "o", name: "Acme" }],
    collections: async () => [{ id: "c", name: "Infra", organizationId: "o" }],
    trash: async () => [{ name: "old" }],
    sends: async () => {
      throw new SideRefusal("Sends are switched off.");
    },
  } as unknown as Side;
  const inventory = await takeInventory(side);
  expect(inventory).toMatchObject({ hidden: [], shared: { count: 2 }, entries: [{ name: "a" }] });
  expect((await leftBehind(side, inventory)).map(({ what, count, names }) => [what, count, names])).toEqual([
    ["items in the trash", 2, ["old"]],
    ["Sends", 1, []],
    ["items of organizations", 2, ["b (Acme: Infra)"]],
    ["collections of organizations", 1, ["Acme: Infra"]],
    ["dates of creation and change", 1, []],
  ]);
});

test("what may be otherwise in a moment is told from what is refused", () => {
  const passing = ["Rate limit exceeded. Try again later.", "An unhandled server error has occurred.", "fetch failed"];
  const lasting = ["The field Notes exceeds the maximum encrypted value length of 10000 characters.", "Not found."];
  const isPassingly = (said: string) => isPassing(new SideRefusal(said));
  expect([...passing, ...lasting].map(isPassingly)).toEqual([true, true, true, false, false]);
});

/** A destination that does with an import what a test says: its items are what was accepted. */
class FakeSide {
  readonly kept: RawItem[] = [];
  readonly imports: string[][] = [];
  readonly #then: (names: readonly string[]) => { readonly keep: boolean; readonly say?: string };

  constructor(then: FakeSide["answer"]) {
    this.#then = then;
  }

  answer(names: readonly string[]): { readonly keep: boolean; readonly say?: string } {
    return this.#then(names);
  }

  async import(text: string, password: string): Promise<void> {
    const { salt, kdfIterations, data } = JSON.parse(text);
    const plain = decrypt(data, await exportKey(password, salt, kdfIterations));
    const { items } = JSON.parse(plain) as { items: RawItem[] };
    const names = items.map(({ name }) => name ?? "");
    this.imports.push(names);
    const { keep, say } = this.answer(names);
    if (keep) this.kept.push(...items.map((item) => ({ ...item, id: randomUUID() })));
    if (say !== undefined) throw new SideRefusal(say);
  }

  sync = async () => {};
  folders = async () => [];
  items = async () => this.kept;
  stored = () => ({
    items: new Map(this.kept.map((item) => [item.id, item])),
    folders: [],
    trash: 0,
    sends: 0,
    organizations: 0,
  });
}

describe("bringing items", () => {
  const names = ["a", "b", "c", "d", "a"];
  const bring = (side: FakeSide, all = names) => {
    const patience = new Patience(new AbortController().signal, 60_000);
    const work = { side: side as unknown as Side, patience, step: () => {} };
    return new Bringing(work, new Set(), new Map(), []).all(all.map((name) => entry(name)));
  };
  const keptNames = ({ kept }: FakeSide) => kept.map(({ name }) => name).sort();

  test("what was carried out although the answer said otherwise is not sent again", async () => {
    const side = new FakeSide(() => ({ keep: true, say: "fetch failed" }));
    expect(await bring(side)).toEqual([]);
    expect(side.imports).toHaveLength(1);
    expect(keptNames(side)).toEqual([...names].sort());
  });

  test("what was not carried out is sent again, when it may go well in a moment", async () => {
    let tries = 0;
    const side = new FakeSide(() => (++tries < 2 ? { keep: false, say: "Rate limit exceeded." } : { keep: true }));
    expect(await bring(side)).toEqual([]);
    expect(side.imports).toHaveLength(2);
    expect(keptNames(side)).toEqual([...names].sort());
  });

  test("more than a thousand go in several imports", async () => {
    const side = new FakeSide(() => ({ keep: true }));
    const many = Array.from({ length: 1004 }, (_, at) => `item ${at}`);
    expect(await bring(side, many)).toEqual([]);
    expect(side.imports.map(({ length }) => length)).toEqual([1000, 4]);
    expect(keptNames(side)).toEqual([...many].sort());
  });

  test("one that is refused does not keep the others back, and is named with what was said", async () => {
    const side = new FakeSide((all) =>
      all.includes("c") ? { keep: false, say: "Notes is too long." } : { keep: true },
    );
    const refused = await bring(side);
    expect(refused.map((one) => [one.entry.name, one.why])).toEqual([["c", "Notes is too long."]]);
    expect(keptNames(side)).toEqual(["a", "a", "b", "d"]);
  });
});
