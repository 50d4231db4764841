import { describe, expect, test } from "vitest";
import { EXTERNAL_SCOPE, NAMED_ADDRESS, startExternalId } from "../../doubles/external-id.ts";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { hostileFolder, snapshot } from "./hostile-folder.ts";
import { login, wordsFor } from "./world.ts";

/** A folder of somebody else's, as a cloned repository is: what is in it changes nothing. */

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
