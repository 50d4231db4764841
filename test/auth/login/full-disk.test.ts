import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { login, startLogin, wordsFor } from "./world.ts";

/** A disk that has room for a few small files, and not for tokens. */

const SECRET = "secret-secret-secret";
/** What is left: the marker of the store fits in it, and tokens with what they may grow by do not. */
const LEFT = 12_288;

describe.each(BUILDS)("$name: a disk without room for tokens", { concurrent: true }, (build) => {
  test.runIf(process.getuid?.() === 0)("is said before a browser opens or a secret is sent", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const sealed = place.file("home/.config/alai/sealed");
    mkdirSync(sealed, { recursive: true, mode: 0o700 });
    system("mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", sealed);
    try {
      await login(place, wordsFor(op, "--flow=browser"));
      const before = readFileSync(`${sealed}/default/tokens.sealed`);
      leaveLittle(`${sealed}/filler`);
      const asked = op.count("POST /token");
      await expect(startLogin(place, ["login", "--flow=browser", "--insecure-storage"])).rejects.toThrow(
        /ended before a browser was started: The disk of .* is full; what was there is unchanged\./,
      );
      const machine = ["login", "--issuer", op.issuer, "--client-id", "ci", "--client-secret", "--insecure-storage"];
      const { code, stderr } = await place.run([...machine, "--scope", "tasks.read"], { input: SECRET });
      expect([code, stderr]).toEqual([69, expect.stringContaining("is full; what was there is unchanged.")]);
      expect(op.count("POST /token")).toBe(asked);
      expect(readFileSync(`${sealed}/default/tokens.sealed`)).toEqual(before);
      expect(readdirSync(`${sealed}/default`).filter((name) => name.endsWith(".new"))).toEqual([]);
    } finally {
      system("umount", "-l", sealed);
    }
  });
});

/** Fills a disk but for a little. */
function leaveLittle(filler: string): void {
  spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"]);
  truncateSync(filler, statSync(filler).size - LEFT);
}

function system(program: string, ...words: string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}
