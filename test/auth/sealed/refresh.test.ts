import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, NPM, Place, sleep, until } from "../../scripts/harness.ts";
import { hasTokens, login, wordsFor } from "../login/world.ts";
import { rewriteTokens, storedTokens, withoutLock } from "./tokens.ts";

/** Renewing at a real provider that gives each refresh token out once, and takes the whole sign-in back for a second use. */

async function signedIn(place: Place, op: Op): Promise<void> {
  await login(place, wordsFor(op, "--flow=browser"));
}

async function signedInLongAgo(place: Place, op: Op): Promise<void> {
  await signedIn(place, op);
  await later(place);
}

/** The access token is over: the issuer, which is asked for another, does not look at that one. */
function later(place: Place): Promise<void> {
  return rewriteTokens(place, { expiresAt: Date.now() - 1 });
}

const refreshes = (op: Op) => op.count("POST /token") - 1;

describe.each(BUILDS)("$name: an old token", (build) => {
  test("20 processes at once: one refresh, 20 successes, still signed in", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedInLongAgo(place, op);
    // Slow, so that all of them are there before it answers.
    op.meanwhile = (path) => (path === "/token" ? sleep(1000).then(() => undefined) : undefined);
    const results = await Promise.all(Array.from({ length: 20 }, () => place.run("whoami")));
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(results.map(() => [0, ""]));
    expect(refreshes(op)).toBe(1);
    await later(place);
    await place.ok("whoami");
    expect(refreshes(op)).toBe(2);
  });

  test.concurrent("the one that renews is killed: the others do it", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedInLongAgo(place, op);
    let held = 0;
    // What the killed one asked for never comes to the provider.
    op.meanwhile = async (path) =>
      path === "/token" && ++held === 1 ? { status: 500, body: await sleep(60_000) } : undefined;
    const first = place.start("whoami");
    await until("it renews", () => held === 1);
    const others = Array.from({ length: 5 }, () => place.start("whoami"));
    await sleep(300);
    first.kill();
    const results = await Promise.all(others.map(({ ended }) => ended));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(held).toBe(2);
  });

  test.concurrent("Ctrl-C while the issuer answers: the answer is kept first", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedInLongAgo(place, op);
    let answer: (() => void) | undefined;
    op.meanwhile = (path) =>
      path === "/token" ? new Promise((resolve) => (answer = () => resolve(undefined))) : undefined;
    const running = place.start("whoami");
    await until("it renews", () => answer !== undefined);
    running.signal("SIGINT");
    await sleep(500);
    answer?.();
    const { code, signal } = await running.ended;
    expect(code ?? signal).toBe("SIGINT");
    op.meanwhile = null;
    await later(place);
    await place.ok("whoami");
  });

  test.concurrent("the issuer is away: a token that is good for a moment is used, one that is over is 69", async () => {
    using place = new Place(build);
    const op = await Op.start();
    await signedIn(place, op);
    await op[Symbol.asyncDispose]();
    // In the last tenth of its life: it would be renewed now.
    await rewriteTokens(place, { obtainedAt: Date.now() - 570_000, expiresAt: Date.now() + 30_000 });
    expect(await place.ok("auth token")).toMatch(/^eyJ/);
    await rewriteTokens(place, { expiresAt: Date.now() - 1 });
    const { code, stderr } = await place.run("auth token");
    expect([code, stderr]).toEqual([69, expect.stringMatching(/^The issuer 127\.0\.0\.1:\d+ does not answer/)]);
    expect(hasTokens(place)).toBe(true);
  });

  test.concurrent("the issuer is slow: a token that is good for a moment is used after three seconds", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedIn(place, op);
    await rewriteTokens(place, { obtainedAt: Date.now() - 570_000, expiresAt: Date.now() + 30_000 });
    op.meanwhile = () => sleep(20_000).then(() => undefined);
    const { code, stdout, ms } = await place.run("auth token");
    expect([code, stdout.slice(0, 3)]).toEqual([0, "eyJ"]);
    // Whoever waited for the issuer would have given it up after fifteen.
    expect(ms).toBeLessThan(14_000);
  });

  test.concurrent("the issuer says that it is over: 4, and the tokens are gone", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedInLongAgo(place, op);
    op.meanwhile = (path) => (path === "/token" ? { status: 400, body: { error: "invalid_grant" } } : undefined);
    const { code, stderr } = await place.run("whoami");
    expect([code, stderr]).toEqual([4, "Your sign-in is over.\nType alai login.\n"]);
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("who signs in while another process has the lock waits for it, and their tokens stay", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    await signedIn(place, op);
    const { store, tokens } = await storedTokens(place);
    const now = () => store.read("tokens")?.toString("utf8");
    const before = now();
    let again: Promise<unknown> | undefined;
    await store.locked("refresh", async () => {
      const known = op.count("POST /token");
      again = login(place, ["login", "--flow=browser", "--insecure-storage"]);
      await until("somebody signs in", () => op.count("POST /token") > known);
      await sleep(1500);
      expect(now()).toBe(before);
    });
    await again;
    expect((await storedTokens(place)).tokens.refreshToken).not.toBe(tokens.refreshToken);
    await place.ok("whoami");
  });

  test.runIf(process.getuid?.() === 0)(
    "a full disk: 69 before the issuer is asked; with room it works",
    { concurrent: true },
    async () => {
      using place = new Place(build);
      await using op = await Op.start();
      const sealed = place.file("home/.config/alai/sealed");
      mkdirSync(sealed, { recursive: true, mode: 0o700 });
      mount(sealed);
      try {
        await signedInLongAgo(place, op);
        fill(sealed);
        const { code, stderr } = await place.run("whoami");
        expect([code, stderr]).toEqual([69, expect.stringContaining("is full; what was there is unchanged.")]);
        expect([refreshes(op), readdirSync(`${sealed}/default`).filter((name) => name.endsWith(".new"))]).toEqual([
          0,
          [],
        ]);
        spawnSync("rm", [`${sealed}/filler`]);
        await place.ok("whoami");
      } finally {
        spawnSync("umount", ["-l", sealed]);
      }
    },
  );
});

/** Keeps the tests above honest: the same provider, session and tokens, and a lock that locks nothing. */
test("without the lock several refresh, and the sign-in is revoked", async () => {
  using place = new Place(NPM);
  await using op = await Op.start();
  await signedInLongAgo(place, op);
  op.meanwhile = (path) => (path === "/token" ? sleep(300).then(() => undefined) : undefined);
  await withoutLock(place, 5);
  expect(refreshes(op)).toBe(5);
  op.meanwhile = null;
  await later(place);
  expect(await place.run("whoami")).toMatchObject({ code: 4 });
});

function mount(folder: string): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", folder]);
  if (status !== 0) throw new Error(`mount: ${stderr}`);
}

function fill(folder: string): void {
  spawnSync("dd", ["if=/dev/zero", `of=${folder}/filler`, "bs=4k"]);
}
