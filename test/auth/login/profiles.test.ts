import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { Person } from "../../doubles/person.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { hasTokens, keepProfileFile, login, wordsFor } from "./world.ts";

/** Several companies on one machine: each with an issuer and a sign-in of its own. */

/** An issuer that nobody asks. */
const NOWHERE = { issuer: "https://login.example.com", clientId: "alai" };

async function whoIs(place: Place, env = {}): Promise<unknown> {
  return (await place.json("whoami", { env })).subject;
}

describe.each(BUILDS)("$name: profiles", (build) => {
  test.concurrent("signing in with another one takes it into use, and says so", async () => {
    using place = new Place(build);
    await using home = await Op.start();
    await using work = await Op.start();
    await login(place, wordsFor(home, "--flow=browser"));
    const other = await login(place, wordsFor(work, "--flow=browser", "--profile", "work"), {}, new Person("bob"));
    expect(other.result.stderr).toContain("Signed in as bob@example.com (profile work).");
    expect(other.result.stderr).toContain("The profile work is now the one in use.\n");
    expect(await place.ok("config get profile")).toBe("work");
    expect([await whoIs(place), await whoIs(place, { ALAI_PROFILE: "default" })]).toEqual(["bob", "ann"]);
    expect(await place.json("whoami --profile default")).toMatchObject({ subject: "ann", profile: "default" });
    // Signing in again with the one in use changes nothing, and says nothing of it.
    const again = await login(place, ["login", "--flow=browser", "--insecure-storage"], {}, new Person("bob"));
    expect(again.result.stderr).not.toContain("now the one in use");
    expect(work.count("POST /token")).toBe(2);
    const back = await login(place, ["login", "--flow=browser", "--insecure-storage", "--profile", "default"]);
    expect(back.result.stderr).toContain("The profile default is now the one in use.\n");
    expect(await whoIs(place)).toBe("ann");
  });

  test.concurrent("ALAI_PROFILE is for one command: it is taken into use by nobody", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const env = { ALAI_PROFILE: "once" };
    const { result } = await login(place, wordsFor(op, "--flow=browser"), { env });
    expect(result.stderr).toContain("(profile once)");
    expect(result.stderr).not.toContain("now the one in use");
    expect([await whoIs(place, env), (await place.run("whoami")).code]).toEqual(["ann", 4]);
    const named = await login(place, wordsFor(op, "--flow=browser", "--profile", "work"), { env });
    expect(named.result.stderr).toContain("alai: ALAI_PROFILE is set and wins: once is in use here");
    expect(await place.json("auth status", { env })).toMatchObject({ profile: "once", profile_source: "ALAI_PROFILE" });
    expect(await place.json("auth status")).toMatchObject({ profile: "work", profile_source: "the setting profile" });
  });

  test.concurrent("a sign-in that fails takes nothing into use; signing out of one leaves the other", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    const late = await place.run(wordsFor(op, "--flow=browser", "--profile", "work", "--timeout", "200ms"));
    expect(late.code).toBe(4);
    expect(await whoIs(place)).toBe("ann");
    await login(place, wordsFor(op, "--flow=browser", "--profile", "work"), {}, new Person("bob"));
    await place.ok("logout");
    expect([hasTokens(place, "work"), hasTokens(place)]).toEqual([false, true]);
    expect((await place.run("whoami")).code).toBe(4);
    await place.ok("config set profile default");
    expect(await whoIs(place)).toBe("ann");
  });

  test.concurrent.each(["../evil", "Work", "", "a b", ".hidden", "x".repeat(41)])("%j is no name: 64", async (name) => {
    using place = new Place(build);
    expect((await place.run(["login", "--profile", name])).code).toBe(64);
    // Nothing at all is as if it were not set.
    if (name === "") return;
    expect((await place.run("whoami", { env: { ALAI_PROFILE: name } })).code).toBe(64);
    expect((await place.run(["config", "set", "profile", name])).code).toBe(64);
  });

  test.concurrent("one that is not there is no name to take into use: 64 says which there are", async () => {
    using place = new Place(build);
    const made = "Type alai login --profile nosuch to make it.\n";
    const none = await place.run("config set profile nosuch");
    expect([none.code, none.stderr]).toEqual([64, `There is no profile nosuch; this machine has none yet.\n${made}`]);
    for (const name of ["default", "work"]) keepProfileFile(place, { issuer: NOWHERE }, name);
    const { code, stderr } = await place.run("config set profile nosuch");
    expect([code, stderr]).toEqual([64, `There is no profile nosuch; there are: default, work.\n${made}`]);
    expect(await place.ok("config get profile")).toBe("");
    await place.ok("config set profile work");
    await place.ok("config set profile default");
  });

  test.concurrent("what is said names the profile that was meant", async () => {
    using place = new Place(build);
    for (const name of ["default", "work"]) keepProfileFile(place, { issuer: NOWHERE }, name);
    const said = async (words: string, env = {}) => {
      const { code, stderr } = await place.run(words, { env });
      return [code, stderr];
    };
    const work = [4, "You are not signed in.\nType alai login --profile work.\n"];
    const nosuch = (by: string) => [
      4,
      `There is no profile nosuch (${by}); there are: default, work.\nType alai login --profile nosuch.\n`,
    ];
    for (const command of ["whoami", "auth token"]) {
      expect(await said(command)).toEqual([4, "You are not signed in.\nType alai login.\n"]);
      expect(await said(`${command} --profile work`)).toEqual(work);
      expect(await said(command, { ALAI_PROFILE: "work" })).toEqual(work);
      expect(await said(`${command} --profile nosuch`)).toEqual(nosuch("--profile"));
      expect(await said(command, { ALAI_PROFILE: "nosuch" })).toEqual(nosuch("ALAI_PROFILE"));
    }
    const { stdout } = await place.run("auth status --profile nosuch");
    expect(stdout).toContain("There is no profile nosuch; there are: default, work.");
    await place.ok("config set profile work");
    expect(await said("whoami")).toEqual([4, "You are not signed in.\nType alai login.\n"]);
    expect(await said("whoami --profile default")).toEqual([
      4,
      "You are not signed in.\nType alai login --profile default.\n",
    ]);
  });

  test.concurrent("a profile's tokens are never sent to another issuer", async () => {
    using place = new Place(build);
    await using op = await Op.start({ life: 1 });
    await using other = await Op.start();
    await login(place, wordsFor(op, "--flow=browser"));
    // By hand: a sign-in that fails changes no profile.
    const file = place.file("home/.config/alai/profiles/default.json");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(op.issuer, other.issuer));
    expect((await place.run("whoami")).code).toBe(4);
    expect(other.count("POST /token")).toBe(0);
  });
});
