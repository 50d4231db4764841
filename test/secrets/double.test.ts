import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { request as plainRequest } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Bw } from "../doubles/bitwarden/bw.ts";
import { encrypt, exportKey, newKey } from "../doubles/bitwarden/crypto.ts";
import { BitwardenDouble, type Options } from "../doubles/bitwarden/server.ts";
import { NO_LINGERING, quickBw } from "./bw/quick.ts";

/** The double is as good as the real bw that works against it, so most of these run it. */

const PASSWORD = { PW: "correct horse" };
const login = (name: string, password = `p-${name}`) => ({ type: 1, name, login: { username: "ann", password } });
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

const programs = mkdtempSync(join(tmpdir(), "alai-quick-bw-"));
const QUICK = join(quickBw(programs, NO_LINGERING), "bw");
afterAll(() => rmSync(programs, { recursive: true, force: true }));

/** A server with one person, and their bw, without its pauses. */
async function setUp(options: Options = {}) {
  const double = await BitwardenDouble.start(options);
  const user = await double.addUser({ email: `Ann-${randomUUID()}@example.com`, password: PASSWORD.PW });
  const bw = await Bw.on(double, QUICK);
  const key = { BW_CLIENTID: user.clientId, BW_CLIENTSECRET: user.clientSecret };
  const unlock = ["unlock", "--passwordenv", "PW", "--raw"];
  const signIn = ["login", user.email, "--passwordenv", "PW", "--raw"];
  const done = async () => {
    await Promise.all([double.stop(), bw.remove()]);
    expect(double.unknown).toEqual([]);
  };
  return { double, user, bw, key, unlock, signIn, [Symbol.asyncDispose]: done };
}

describe.concurrent("the real bw", () => {
  test("signs in by API key, unlocks, lists, sees a change after a sync, logs out", async () => {
    await using setting = await setUp();
    const { double, user, bw, key, unlock } = setting;
    double.seed(user, [{ ...login("GitHub"), folder: "Work" }, login("npm")]);
    await bw.ok(["login", "--apikey"], key);
    bw.session = await bw.ok(unlock, PASSWORD);
    const listed = await bw.json<{ name: string }[]>(["list", "items"]);
    expect(listed.map((item) => item.name).sort()).toEqual(["GitHub", "npm"]);
    double.seed(user, [login("Azure", "s3cr€t 🙂")]);
    await bw.ok(["sync"]);
    expect(await bw.ok(["get", "password", "Azure"])).toBe("s3cr€t 🙂");
    await bw.ok(["logout"]);
    expect(await readFile(join(bw.home, "data.json"), "utf8")).not.toContain(user.clientSecret);
    expect(double.requests[0]?.client).toMatchObject({ "bitwarden-client-name": "cli", "device-type": "25" });
  });

  test("signs in by password, not by a wrong one; makes, changes and removes items and folders", async () => {
    await using setting = await setUp();
    const { double, user, bw, signIn } = setting;
    const wrong = await bw.run(signIn, { PW: "wrong horse" });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("Invalid master password.") });
    bw.session = await bw.ok(signIn, PASSWORD);
    const folder = await bw.json<{ id: string }>(["create", "folder"], encoded({ name: "Work" }));
    const made = await bw.json<{ id: string }>(
      ["create", "item"],
      encoded({ ...login("GitHub"), folderId: folder.id }),
    );
    expect(double.plain(user).items).toMatchObject([{ ...login("GitHub"), folder: "Work" }]);
    await bw.ok(["edit", "item", made.id], {}, encoded({ ...made, name: "GitHub 2", folderId: null }));
    expect(double.plain(user).items).toMatchObject([{ name: "GitHub 2", folder: null }]);
    await bw.ok(["delete", "item", made.id]);
    await bw.ok(["delete", "folder", folder.id]);
    expect(double.plain(user)).toMatchObject({ items: [{ deletedDate: expect.any(String) }], folders: [] });
  });

  test("imports in clear and under a password, and never asks what is there already; files go to the store of blobs and back", async () => {
    await using setting = await setUp();
    const { double, user, bw, signIn } = setting;
    const data = randomBytes(70_000);
    const [id = ""] = double.seed(user, [{ ...login("Azure"), attachments: [{ fileName: "seeded.bin", data }] }]);
    bw.session = await bw.ok(signIn, PASSWORD);
    const folder = { id: randomUUID(), name: "Work" };
    const items = [{ ...login("GitHub"), folderId: folder.id }, login("npm")];
    const text = JSON.stringify({ encrypted: false, folders: [folder], items });
    const [clear, sealed] = [join(bw.home, "clear.json"), join(bw.home, "sealed.json")];
    await writeFile(clear, text);
    await writeFile(sealed, await protect(text, "export password"));
    await bw.ok(["import", "bitwardenjson", clear]);
    await bw.ok(["import", "bitwardenjson", sealed, "--passwordenv", "EXPORT"], { EXPORT: "export password" });
    const { items: kept, folders } = double.plain(user);
    expect(kept.map((item) => item.name).sort()).toEqual(["Azure", "GitHub", "GitHub", "npm", "npm"]);
    expect(kept.filter((item) => item.folder === "Work").map((item) => item.name)).toEqual(["GitHub", "GitHub"]);
    expect(folders.map(({ name }) => name)).toEqual(["Work", "Work"]);
    const seeded = join(bw.home, "fetched.bin");
    await bw.ok(["get", "attachment", "seeded.bin", "--itemid", id, "--output", seeded]);
    expect(data.equals(await readFile(seeded))).toBe(true);
    const sent = await sendAndFetch(bw, id);
    expect(double.plain(user).items[0]?.attachments.map((file) => file.data.equals(sent))).toEqual([false, true]);
    expect(double.requests.some(({ method, path }) => method === "PUT" && path.startsWith("/blobs/"))).toBe(true);
  });

  test("shows what an organization shares, to read only, and Sends", async () => {
    await using setting = await setUp();
    const { double, user, bw, signIn } = setting;
    double.share([user], "Acme", [{ item: login("Shared", "s3cret"), collections: ["Infra"] }], ["Empty"]);
    double.send(user, "A link", "behind it");
    bw.session = await bw.ok(signIn, PASSWORD);
    const list = (what: string) => bw.json<{ id: string; name: string; organizationId?: string }[]>(["list", what]);
    const [organization] = await list("organizations");
    expect(organization?.name).toBe("Acme");
    expect((await list("collections")).map(({ name }) => name).sort()).toEqual(["Empty", "Infra"]);
    const [item] = await list("items");
    expect(item).toMatchObject({ name: "Shared", organizationId: organization?.id, login: { password: "s3cret" } });
    expect(await bw.json(["send", "list"])).toMatchObject([{ name: "A link", text: { text: "behind it" } }]);
    // By bw's own check of rights, or by the server's.
    expect(await bw.run(["delete", "item", item?.id ?? ""])).toMatchObject({ code: 1 });
    expect(await list("items")).toHaveLength(1);
  });

  test("unlocks at the second time on a Vaultwarden of today; files go both ways", async () => {
    await using setting = await setUp({ vaultwarden: true });
    const { double, user, bw, key, unlock } = setting;
    const [id = ""] = double.seed(user, [login("GitHub")]);
    await bw.ok(["login", "--apikey"], key);
    expect(await bw.run(unlock, PASSWORD)).toMatchObject({ code: 1, stderr: expect.stringContaining("404") });
    bw.session = await bw.ok(unlock, PASSWORD);
    await sendAndFetch(bw, id);
    expect(double.requests.some(({ method, path }) => method === "POST" && /attachment\/\w{32}$/.test(path))).toBe(
      true,
    );
  });
});

/** Sends a file by bw, fetches it again, and gives its bytes. */
async function sendAndFetch(bw: Bw, id: string): Promise<Buffer> {
  const data = randomBytes(100_001);
  const [sent, fetched] = [join(bw.home, "sent.bin"), join(bw.home, "back.bin")];
  await writeFile(sent, data);
  await bw.ok(["create", "attachment", "--itemid", id, "--file", sent]);
  await bw.ok(["get", "attachment", "sent.bin", "--itemid", id, "--output", fetched]);
  expect(data.equals(await readFile(fetched))).toBe(true);
  return data;
}

/** A password-protected export, as Bitwarden writes one. */
async function protect(text: string, password: string): Promise<string> {
  const [salt, kdfIterations] = [randomBytes(16).toString("base64"), 5000];
  const key = await exportKey(password, salt, kdfIterations);
  const [check, data] = [encrypt(randomUUID(), key), encrypt(text, key)];
  const head = { encrypted: true, passwordProtected: true, salt, kdfType: 0, kdfIterations };
  return JSON.stringify({ ...head, encKeyValidation_DO_NOT_EDIT: check, data });
}

describe("the double", () => {
  let double: BitwardenDouble;
  beforeAll(async () => {
    double = await BitwardenDouble.start({ importLimit: 3 });
  });
  afterAll(() => double.stop());
  beforeEach(() => {
    double.unknown.length = 0;
  });
  afterEach(() => double.faults.clear());

  test("refuses who has no token, an expired one, or one of before a change of the password", async () => {
    const ann = await person();
    const wrong = {
      grant_type: "client_credentials",
      scope: "api",
      client_id: ann.user.clientId,
      client_secret: "wrong",
    };
    const device = { deviceType: "25", deviceIdentifier: "test", deviceName: "test" };
    const form = (fields: Record<string, string>) => `${new URLSearchParams({ ...fields, ...device })}`;
    expect(await status("POST", "/identity/connect/token", "", form(wrong))).toBe(400);
    const right = { ...wrong, client_secret: ann.user.clientSecret };
    expect(await status("POST", "/identity/connect/token", "", form(right))).toBe(200);
    expect(await status("GET", "/api/sync")).toBe(401);
    expect(await status("GET", "/api/sync", `${ann.token}x`)).toBe(401);
    double.accounts.tokenLife = 0;
    const expired = (await person()).token;
    double.accounts.tokenLife = 3600;
    expect(await status("GET", "/api/sync", expired)).toBe(401);
    expect(await status("GET", "/api/sync", ann.token)).toBe(200);
    double.signOutEverywhere(ann.user);
    expect(await status("GET", "/api/sync", ann.token)).toBe(401);
  });

  test("shows nobody the items of another, and says nothing of them", async () => {
    const [ann, bob] = await Promise.all([person(), person()]);
    const [id] = double.seed(ann.user, [login("GitHub")]);
    expect(await status("GET", `/api/ciphers/${id}`, ann.token)).toBe(200);
    expect(await status("GET", `/api/ciphers/${id}`, bob.token)).toBe(404);
    expect(await status("PUT", `/api/ciphers/${id}/delete`, bob.token)).toBe(404);
    expect(await status("POST", `/api/ciphers/${id}/attachment/v2`, bob.token, {})).toBe(404);
  });

  test("takes no text in clear, no stale edit and no import that is too large", async () => {
    const { user, token } = await person();
    const name = encrypt("x", newKey());
    expect(await status("POST", "/api/ciphers", token, { type: 1, name: "in clear" })).toBe(400);
    expect(await status("POST", "/api/ciphers", token, { type: 1, name, login: { password: "in clear" } })).toBe(400);
    expect(await status("POST", "/api/folders", token, { name: "in clear" })).toBe(400);
    const [id] = double.seed(user, [login("GitHub")]);
    const stale = { type: 1, name, lastKnownRevisionDate: "2020-01-01T00:00:00.000Z" };
    expect(await status("PUT", `/api/ciphers/${id}`, token, stale)).toBe(400);
    const ciphers = Array.from({ length: 4 }, () => ({ type: 2, name }));
    expect(await status("POST", "/api/ciphers/import", token, { ciphers })).toBe(400);
    expect(await status("POST", "/api/ciphers/import", token, { ciphers: ciphers.slice(1) })).toBe(200);
    expect(await status("POST", "/api/ciphers/import", token, { ciphers: [{ type: 2, name }, { type: 2 }] })).toBe(400);
    expect(double.accounts.byEmail(user.email)?.vault.ciphers.size).toBe(4);
  });

  test("fails, loses and hangs when told to, and only then", async () => {
    const { user, token } = await person();
    double.fail({ path: "/api/sync", status: 429, times: 2, after: 1 });
    const answers = [200, 429, 429, 200];
    for (const expected of answers) expect(await status("GET", "/api/sync", token)).toBe(expected);
    double.loseNext(user, 1);
    const name = encrypt("x", newKey());
    expect(await status("POST", "/api/ciphers", token, { type: 2, name })).toBe(200);
    expect(double.plain(user).items).toEqual([]);
    const [id = ""] = double.seed(user, [login("GitHub")]);
    double.dropItem(id);
    expect(double.plain(user).items).toEqual([]);
    double.freeze();
    let answered = false;
    const hung = status("GET", "/api/config").finally(() => {
      answered = true;
    });
    await expect.poll(() => double.requests.at(-1)?.path).toBe("/api/config");
    expect(answered).toBe(false);
    double.thaw();
    expect(await hung).toBe(200);
  });

  test("records what it does not know, and does not speak without TLS", async () => {
    expect(await status("GET", "/api/organizations/1?x=1")).toBe(404);
    expect(double.unknown).toEqual(["GET /api/organizations/1"]);
    const refused = new Promise((resolve, reject) => {
      plainRequest(double.url.replace("https", "http")).on("response", reject).on("error", resolve).end();
    });
    expect(await refused).toMatchObject({ code: "ECONNRESET" });
  });

  test("seeds and reads a thousand items of every kind", async () => {
    const { user } = await person();
    const kinds = [
      { ...login("login"), passwordHistory: [{ password: "old", lastUsedDate: "2024-01-01T00:00:00.000Z" }] },
      { type: 2, name: "note", notes: "long ".repeat(2000), secureNote: { type: 0 } },
      { type: 3, name: "card", card: { number: "4111", brand: "Visa" }, fields: [{ name: "a", value: "b", type: 0 }] },
      { type: 4, name: "identity", identity: { firstName: "Ann", username: "ann" }, folder: "a/b/c" },
      { type: 5, name: "key", sshKey: { privateKey: "p", publicKey: "q", keyFingerprint: "r" } },
    ];
    double.seed(user, Array.from({ length: 200 }, () => kinds).flat());
    const { items } = double.plain(user);
    expect(items).toHaveLength(1000);
    expect(items.slice(-5)).toMatchObject(kinds);
  });

  async function person() {
    const user = await double.addUser({ email: `${randomUUID()}@example.com`, password: "p" });
    const account = double.accounts.byEmail(user.email);
    if (!account) throw new Error("who was signed up is not there");
    return { user, token: double.accounts.accessToken(account, "test") };
  }

  async function status(method: string, path: string, token = "", body?: unknown): Promise<number | undefined> {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const ca = await readFile(double.caFile);
    return new Promise((resolve, reject) => {
      request(`${double.url}${path}`, { method, headers, ca }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      })
        .on("error", reject)
        .end(body === undefined || typeof body === "string" ? body : JSON.stringify(body));
    });
  }
});
