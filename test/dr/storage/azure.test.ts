import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { readAzurePage } from "../../../src/dr/storage/azure/page.ts";
import { openStorage } from "../../../src/dr/storage/open.ts";
import { keepBreakGlass } from "../../../src/secrets/break-glass.ts";
import { fakeWorld } from "../../client/world.ts";
import { ACCOUNT, AZURITE_ENV, Azurite, KEY } from "../azurite.ts";
import { Gate } from "../gate.ts";

let azurite: Azurite;
let count = 0;
beforeAll(async () => {
  azurite = await Azurite.start();
});
afterEach(() => azurite.gate.reset());
afterAll(() => azurite[Symbol.asyncDispose]());

async function newSpec() {
  const container = `azure-${++count}`;
  await azurite.createContainer(container);
  return { type: "azure", account: ACCOUNT, container, endpoint: azurite.endpoint, prefix: "" } as const;
}

const open = async (env: Record<string, string>, deadline?: number, spec?: Awaited<ReturnType<typeof newSpec>>) =>
  openStorage(fakeWorld(env).context, spec ?? (await newSpec()), { deadline });

/** A shared access signature of a container (learn.microsoft.com/rest/api/storageservices/create-service-sas). */
function containerSas(container: string, permissions: string): string {
  const end = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z/, "Z");
  const version = "2020-12-06";
  const resource = `/blob/${ACCOUNT}/${container}`;
  const text = [permissions, "", end, resource, "", "", "", version, "c", "", "", "", "", "", "", ""].join("\n");
  const signature = createHmac("sha256", Buffer.from(KEY, "base64")).update(text).digest("base64");
  return new URLSearchParams({ sv: version, se: end, sr: "c", sp: permissions, sig: signature }).toString();
}

it("frozen, it is given up in time; thawed, it answers; gone, it is unreachable; back, nothing is lost", async () => {
  const spec = await newSpec();
  const patient = await open(AZURITE_ENV, 60_000, spec);
  await patient.write("kept", Buffer.from("safe"));
  const storage = await open(AZURITE_ENV, 1000, spec);
  azurite.freeze();
  try {
    const asked = [storage.list(""), storage.read("kept"), storage.write("x", Buffer.from("x")), storage.remove("y")];
    for (const end of await Promise.allSettled(asked))
      expect(end).toMatchObject({ status: "rejected", reason: { trouble: "slow" } });
  } finally {
    azurite.thaw();
  }
  expect((await patient.list("")).map(({ key }) => key)).toContain("kept");
  await azurite.stop();
  await expect(patient.list("")).rejects.toMatchObject({ trouble: "unreachable" });
  await azurite.restart();
  expect(Buffer.from((await patient.read("kept")).body).toString()).toBe("safe");
});

it("a shared access signature is sent, goes before the key, and allows what it says", async () => {
  const spec = await newSpec();
  const token = containerSas(spec.container, "rl");
  const writer = await open(
    { LITESTREAM_AZURE_SAS_TOKEN: `?${containerSas(spec.container, "rwdl")}` },
    undefined,
    spec,
  );
  await writer.write("it's %", Buffer.from("x"));
  const reader = await open({ LITESTREAM_AZURE_SAS_TOKEN: token, ...AZURITE_ENV }, undefined, spec);
  expect((await reader.list("")).map(({ key }) => key)).toEqual(["it's %"]);
  expect(Buffer.from((await reader.read("it's %")).body).toString()).toBe("x");
  const error = await reader.write("y", Buffer.from("y")).then(
    () => null,
    (caught: Error) => caught,
  );
  expect(error).toMatchObject({ trouble: "refused", hint: expect.stringContaining("LITESTREAM_AZURE_SAS_TOKEN") });
  expect(JSON.stringify(error) + error?.message).not.toContain(new URLSearchParams(token).get("sig"));
});

it("the profile's sealed values serve where the environment has none", async () => {
  const home = mkdtempSync(join(tmpdir(), "alai-glass-"));
  try {
    const env = {
      HOME: home,
      ALAI_CONFIG_DIR: join(home, "config"),
      ALAI_DATA_DIR: join(home, "data"),
      ALAI_CACHE_DIR: join(home, "cache"),
    };
    const { context } = fakeWorld(env);
    await keepBreakGlass(context, "default", { ...AZURITE_ENV }, true);
    const storage = await openStorage(context, await newSpec());
    expect(await storage.list("")).toEqual([]);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

/** Microsoft's real one cannot be asked from here: this gate answers as its documentation says. */
it("an app of Microsoft Entra gets a token by its secret, once, and sends it", async () => {
  await using entra = await Gate.start();
  const env = {
    AZURE_TENANT_ID: "contoso",
    AZURE_CLIENT_ID: "app",
    AZURE_CLIENT_SECRET: "s3cr&t",
    AZURE_AUTHORITY_HOST: entra.url,
  };
  const storage = await open(env);
  entra.behave = () => ({
    status: 200,
    body: JSON.stringify({ token_type: "Bearer", expires_in: 3599, access_token: "T1" }),
  });
  azurite.gate.behave = () => ({ status: 200, body: "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>" });
  expect(await storage.list("")).toEqual([]);
  expect(await storage.list("")).toEqual([]);
  expect(entra.passed.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /contoso/oauth2/v2.0/token"]);
  expect(Object.fromEntries(new URLSearchParams(entra.passed[0]?.body))).toEqual({
    ...{ grant_type: "client_credentials", client_id: "app", client_secret: "s3cr&t" },
    scope: "https://storage.azure.com/.default",
  });
  expect(azurite.gate.passed.map(({ headers }) => headers.authorization)).toEqual(["Bearer T1", "Bearer T1"]);
});

it.each([
  [400, '{"error":"invalid_client"}', "refused", /\(400 invalid_client\)/],
  [401, "no JSON", "refused", /\(401\)/],
  [404, "", "failed", /\(404\)/],
  [200, '{"access_token":7}', "failed", /gave no token/],
])("Entra says %i %s: %s", async (status, body, trouble, message) => {
  await using entra = await Gate.start();
  entra.behave = () => ({ status, body });
  const env = {
    AZURE_TENANT_ID: "contoso",
    AZURE_CLIENT_ID: "app",
    AZURE_CLIENT_SECRET: "s3cr&t",
    AZURE_AUTHORITY_HOST: entra.url,
  };
  const storage = await open(env);
  await expect(storage.list("")).rejects.toMatchObject({ trouble, message: expect.stringMatching(message) });
  expect(azurite.gate.passed).toEqual([]);
});

it("a token that is about to end is replaced, and Entra's silence ends in time", async () => {
  await using entra = await Gate.start();
  const env = {
    AZURE_TENANT_ID: "contoso",
    AZURE_CLIENT_ID: "app",
    AZURE_CLIENT_SECRET: "s",
    AZURE_AUTHORITY_HOST: entra.url,
  };
  const storage = await open(env, 1000);
  entra.behave = () => ({
    status: 200,
    body: JSON.stringify({ expires_in: 60, access_token: `T${entra.passed.length}` }),
  });
  azurite.gate.behave = () => ({ status: 200, body: "<EnumerationResults/>" });
  await storage.list("");
  await storage.list("");
  expect(azurite.gate.passed.map(({ headers }) => headers.authorization)).toEqual(["Bearer T1", "Bearer T2"]);
  entra.behave = () => ({ silent: true });
  await expect(storage.list("")).rejects.toMatchObject({
    trouble: "slow",
    message: expect.stringMatching(/Entra gave no token/),
  });
});

it("a listing's names that XML cannot hold, and stamps in any case, are read", async () => {
  const blob = (name: string, metadata: string) =>
    `<Blob><Name${name}</Name><Properties><Last-Modified>Sat, 21 Nov 2026 19:25:12 GMT</Last-Modified><Content-Length>5</Content-Length></Properties><Metadata>${metadata}</Metadata></Blob>`;
  const text = `\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="c"><Blobs>${blob(' Encoded="true">a%01b', "")}${blob(">x &amp; y%01", "<Litestreamtimestamp>2026-11-21T19:25:11.123456789Z</Litestreamtimestamp>")}</Blobs><NextMarker>2!m=</NextMarker></EnumerationResults>`;
  // In pieces that tear a character and an entity.
  const bytes = Buffer.from(text);
  const pieces = async function* () {
    for (const byte of bytes) yield Uint8Array.of(byte);
  };
  const modified = Date.parse("2026-11-21T19:25:12Z");
  expect(await readAzurePage(pieces())).toEqual({
    blobs: [
      { name: "a\u0001b", size: 5, modified, stamp: null },
      { name: "x & y%01", size: 5, modified, stamp: Date.parse("2026-11-21T19:25:11.123Z") },
    ],
    next: "2!m=",
  });
});
