import { rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { keepProfileFile } from "./world.ts";

/** What is said to type names the profile that was meant, where another one is in use. */

describe.each(BUILDS)("$name: words for a profile that is not in use", { concurrent: true }, (build) => {
  test("sealed files that do not open, and a sign-in that nobody finished", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const issuer = { issuer: op.issuer, clientId: "ci", scopes: ["tasks.read"] };
    keepProfileFile(place, { issuer });
    keepProfileFile(place, { issuer: { ...issuer, clientId: "alai" } }, "person");
    keepProfileFile(place, { issuer }, "work");
    const words = "login --profile work --client-secret --insecure-storage";
    await place.ok(words, { input: "secret-secret-secret" });
    await place.ok("config set profile default");
    const sealed = place.file("home/.config/alai/sealed/work");
    const token = () => place.run("auth token --profile work");
    const type = "\nType alai login --profile work";
    writeFileSync(`${sealed}/tokens.sealed`, "broken");
    expect(await token()).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(`does not open: .*\\.${type}\\.\n$`),
    });
    rmSync(`${sealed}/key`);
    expect(await token()).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(`does not open.${type}: it makes`),
    });
    writeFileSync(`${sealed}/store.json`, "broken");
    expect(await token()).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(`is not what alai wrote.${type}.`),
    });
    const late = await place.run("login --profile person --flow=device --timeout 300ms --insecure-storage");
    expect(late).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("\nType alai login --profile person again;"),
    });
  });
});
