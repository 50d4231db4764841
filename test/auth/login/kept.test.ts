import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { login, startLogin, wordsFor } from "./world.ts";

/** A sign-in that holds is there until another one has gone well. */
describe.each(BUILDS)("$name: a failed sign-in", (build) => {
  test("leaves profile and tokens as they were: refused, given up, with another issuer or client", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await using other = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const file = place.file("home/.config/alai/profiles/default.json");
    const before = readFileSync(file, "utf8");
    const refused = await place.run("login --client-id wrong --flow=device --timeout 5s --insecure-storage");
    expect(refused.code).toBe(4);
    const { running } = await startLogin(place, wordsFor(other, "--flow=browser"));
    running.signal("SIGINT");
    expect((await running.ended).code).toBe(130);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(await place.json("whoami")).toMatchObject({ subject: "ann" });
    await login(place, wordsFor(other, "--flow=browser"));
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ issuer: { issuer: other.issuer } });
  });
});
