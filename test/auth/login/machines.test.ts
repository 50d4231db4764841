import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place, sleep } from "../../scripts/harness.ts";
import { endedWithin, filesWith, hasTokens, login, wordsFor } from "./world.ts";

/** Who signs in without a person: with a token from elsewhere, or with a secret of its own. */

const SECRET = "secret-secret-secret";

function machineWords(op: Op): string[] {
  const issuer = ["--issuer", op.issuer, "--client-id", "ci", "--scope", "tasks.read"];
  return ["login", ...issuer, "--client-secret", "--insecure-storage"];
}

/** A token as an issuer makes them; nobody checks it here. */
function jwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

describe.each(BUILDS)("$name: sign-in of machines", (build) => {
  test.concurrent("--with-token keeps a token from standard input", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const token = jwt({ sub: "robot", exp: Math.floor(Date.now() / 1000) + 600 });
    const { code, stdout, stderr } = await place.run(wordsFor(op, "--with-token"), { input: `${token}\n` });
    expect([code, stdout, stderr]).toEqual([0, "", expect.stringContaining("Signed in as robot")]);
    expect(stderr).not.toContain(token);
    expect(await place.ok("auth token")).toBe(token);
    const longer = await place.run("auth token --min-ttl 20m");
    expect([longer.code, longer.stdout, longer.stderr]).toEqual([
      4,
      "",
      expect.stringMatching(/sooner than --min-ttl asks, and cannot be renewed\.\nType alai login\.\n$/),
    ]);
    expect(filesWith(place, token)).toEqual([]);
    expect(await place.json("auth status")).toMatchObject({ flow: "with-token", signed_in: true });
    expect(op.asked.filter((one) => one.startsWith("POST"))).toEqual([]);
  });

  test.concurrent.each([
    ["--with-token", "A token"],
    ["--client-secret", "A client secret"],
  ])("%s on a machine without a profile: 64 names the issuer's flags", async (flag, what) => {
    using place = new Place(build);
    const { code, stderr } = await place.run(["login", flag], { input: "x" });
    expect([code, stderr]).toEqual([
      64,
      `${what} is kept with the profile of its issuer, and this machine has no such profile yet.\n` +
        "Add --issuer URL --client-id ID --scope SCOPE, or --profile-url URL; the next time none of them is needed.\n",
    ]);
  });

  test.concurrent("a token of the environment that has run out, or will too soon: 4", async () => {
    using place = new Place(build);
    const lasting = (seconds: number) => jwt({ sub: "robot", exp: Math.floor(Date.now() / 1000) + seconds });
    const over = { ALAI_TOKEN: lasting(-5) };
    for (const words of ["whoami", "auth token"]) {
      const { code, stdout, stderr } = await place.run(words, { env: over });
      expect([code, stdout, stderr]).toEqual([4, "", expect.stringMatching(/^The token of ALAI_TOKEN has run out/)]);
    }
    const env = { ALAI_TOKEN: lasting(120) };
    expect(await place.ok("auth token", { env })).toBe(env.ALAI_TOKEN);
    expect(await place.ok("auth token --min-ttl 1m", { env })).toBe(env.ALAI_TOKEN);
    const { code, stderr } = await place.run("auth token --min-ttl 5m", { env });
    expect([code, stderr]).toEqual([4, expect.stringContaining("sooner than --min-ttl asks")]);
  });

  test.concurrent.each([
    ["", 64],
    ["two words", 64],
    ["\u001b[31mred", 64],
  ])("--with-token refuses %j", async (input, exit) => {
    using place = new Place(build);
    await using op = await Op.start();
    const { code, stderr } = await place.run(wordsFor(op, "--with-token"), { input });
    expect([code, stderr]).toEqual([exit, expect.stringContaining("Standard input holds no token.")]);
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("--client-secret signs a machine in, which stays signed in by itself", async () => {
    using place = new Place(build);
    await using op = await Op.start({ life: 3 });
    await place.ok(machineWords(op), { input: SECRET });
    const first = await place.ok("auth token");
    expect(await place.json("whoami")).toMatchObject({ subject: "ci" });
    await sleep(3100);
    const second = await place.ok("auth token");
    expect(second).toMatch(/^eyJ/);
    expect(second).not.toBe(first);
    expect(filesWith(place, SECRET)).toEqual([]);
    expect(await place.json("auth status")).toMatchObject({ flow: "client-credentials", subject: "ci" });
  });

  test.concurrent("a wrong secret: exit 4, and the secret is in no word of it", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const { code, stderr } = await place.run(machineWords(op), { input: "canary-secret" });
    expect([code, stderr]).toEqual([4, expect.stringContaining("(invalid_client).\nThe client secret is wrong")]);
    expect(stderr).toContain("type alai login --client-secret < secret.txt");
    const named = await place.run([...machineWords(op), "--profile", "robot"], { input: "wrong" });
    expect(named.stderr).toContain("(alai auth status --profile robot shows the client id)");
    expect(named.stderr).toContain("type alai login --profile robot --client-secret < secret.txt");
    expect(stderr).not.toContain("canary");
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("a person who signs in after the machine is renewed as a person", async () => {
    using place = new Place(build);
    await using op = await Op.start({ life: 3 });
    await place.ok(machineWords(op), { input: SECRET });
    await login(place, wordsFor(op, "--flow=browser"));
    await sleep(3100);
    expect(await place.json("whoami")).toMatchObject({ subject: "ann" });
  });

  test.concurrent("standard input that never ends: Ctrl-C is 130 at once; two things from it are 64", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const running = place.start(wordsFor(op, "--with-token"), { input: null });
    await place.settle();
    running.signal("SIGINT");
    expect(await endedWithin(running, 20_000)).toMatchObject({ code: 130 });
    expect((await place.run(wordsFor(op, "--with-token", "--client-secret"))).code).toBe(64);
  });
});
