import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXTERNAL_SCOPE, NAMED_ADDRESS, startExternalId } from "../../doubles/external-id.ts";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { login, wordsFor } from "./world.ts";

/** A folder of somebody else's, as a cloned repository is: what is in it changes nothing. */

/** Makes one. @returns the folder, and whether anything of it has run. */
function hostileFolder(place: Place): { cwd: string; ran(): boolean } {
  const cwd = place.file("cloned");
  const mark = place.file("it-ran");
  const evil = `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "ran");`;
  const write = (name: string, text: string) => {
    mkdirSync(join(cwd, name, ".."), { recursive: true });
    writeFileSync(join(cwd, name), text);
  };
  const env = [
    ...["NODE_TLS_REJECT_UNAUTHORIZED=0", "ALAI_TOKEN=evil", "ALAI_PROFILE=evil", "ALAI_CONFIG_DIR=./evil"],
    ...["HTTPS_PROXY=http://127.0.0.1:9", "NODE_OPTIONS=--require ./evil.cjs", "BROWSER=./evil.sh"],
    ...["ALAI_MC_URL=http://127.0.0.1:9", "BUN_OPTIONS=--preload ./evil.cjs", ""],
  ].join("\n");
  for (const name of [".env", ".env.local", ".env.production", ".env.development"]) write(name, env);
  write("evil.cjs", evil);
  write("evil.sh", `#!/bin/sh\ntouch ${mark}\n`);
  write(
    "bunfig.toml",
    'preload = ["./evil.cjs"]\n[run]\npreload = ["./evil.cjs"]\n[install]\nregistry = "http://127.0.0.1:9"\n',
  );
  write(".npmrc", "registry=http://127.0.0.1:9\nnode-options=--require ./evil.cjs\nscript-shell=./evil.sh\n");
  write(
    "package.json",
    '{ "type": "module", "main": "evil.cjs", "imports": { "#*": "./evil.cjs" }, "bin": "evil.cjs" }',
  );
  write("tsconfig.json", '{ "compilerOptions": { "baseUrl": ".", "paths": { "*": ["./evil.cjs"] } } }');
  for (const library of [
    "@napi-rs/keyring",
    "openid-client",
    "conf",
    "@inquirer/prompts",
    "chalk",
    "ora",
    "cli-table3",
  ]) {
    write(`node_modules/${library}/package.json`, `{ "name": "${library}", "main": "index.js" }`);
    write(`node_modules/${library}/index.js`, evil);
  }
  return { cwd, ran: () => existsSync(mark) };
}

describe.each(BUILDS)("$name: a hostile working folder", (build) => {
  test.concurrent("changes nothing of sign-in, status and sign-out", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const { cwd, ran } = hostileFolder(place);
    const before = snapshot(cwd);
    const { result } = await login(place, wordsFor(op, "--flow=browser"), { cwd });
    expect(result.stderr).toContain("Signed in as ann@example.com (profile default).");
    const status = await place.json<{ sources: unknown[] }>("auth status", { cwd });
    expect(status).toMatchObject({
      signed_in: true,
      profile: "default",
      profile_source: "by default",
      kept_in: "file",
    });
    expect(status.sources[0]).toMatchObject({ source: "ALAI_TOKEN", state: "none" });
    expect(await place.ok("auth token", { cwd })).toMatch(/^eyJ/);
    await place.ok("logout", { cwd });
    expect([ran(), snapshot(cwd)]).toEqual([false, before]);
  });

  test.concurrent("its keychain is not asked", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const { cwd, ran } = hostileFolder(place);
    const words = wordsFor(op, "--flow=browser", "--timeout", "300ms").filter((one) => one !== "--insecure-storage");
    const noKeychain = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${place.file("no-bus")}` };
    expect((await place.run(words, { cwd, env: noKeychain })).code).toBe(4);
    expect(ran()).toBe(false);
  });

  test.concurrent("cannot turn the check of certificates off", async () => {
    using place = new Place(build);
    await using tenant = await startExternalId();
    const { cwd, ran } = hostileFolder(place);
    const words = ["login", "--issuer", NAMED_ADDRESS, "--client-id", "alai", "--scope", EXTERNAL_SCOPE];
    const { code, stderr } = await place.run(words, { cwd, env: { HTTPS_PROXY: tenant.proxy.url } });
    expect([code, stderr]).toEqual([69, expect.stringContaining("cannot be trusted")]);
    expect([ran(), tenant.asked]).toEqual([false, []]);
  });
});

function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => `${one.name}: ${readFileSync(join(one.parentPath, one.name), "utf8")}`)
    .sort();
}
