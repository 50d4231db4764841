import { mkdtempSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { freePorts } from "./ports.ts";
import { hasTokens, keepProfileFile, wordsFor } from "./world.ts";

/** Addresses that are no issuer, or not the one that was meant. */

const words = (issuer: string) => ["login", "--issuer", issuer, "--client-id", "alai", "--scope", "tasks.read"];

describe.each(BUILDS)("$name: the issuer", (build) => {
  test.concurrent("away: 69 says so, within its patience", async () => {
    using place = new Place(build);
    const [port] = await freePorts(1);
    const { code, stderr, ms } = await place.run(words(`http://127.0.0.1:${port}`));
    expect([code, stderr]).toEqual([69, expect.stringContaining(`The issuer 127.0.0.1:${port} does not answer`)]);
    expect(stderr).toContain("HTTPS_PROXY");
    // Two seconds are what one that is away gets; one that is slow, fifteen.
    expect(ms).toBeLessThan(12_000);
  });

  test.concurrent("in trouble: 69, when it is asked for its metadata and when for tokens", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    op.meanwhile = () => ({ status: 500, body: {} });
    const { code, stderr } = await place.run(words(op.issuer));
    expect([code, stderr]).toEqual([69, expect.stringMatching(/has trouble \(500\)\.\nTry again in a minute\.\n$/)]);
  });

  test.concurrent.each([
    ["http://login.example.com", /is not an https address: http:\/\/login\.example\.com/],
    ["ftp://127.0.0.1/x", /is not an https address/],
    ["file:///etc/passwd", /is not an https address/],
    ["login.example.com", /is not an issuer's address/],
    ["\u001b[31mred", /"\\x1b\[31mred" is not an issuer's address/],
  ])("%j is no issuer's address: 64", async (issuer, said) => {
    using place = new Place(build);
    const { code, stderr } = await place.run(words(issuer));
    expect([code, stderr]).toEqual([64, expect.stringMatching(said)]);
  });

  test.concurrent("a page that is no metadata, and one of another issuer", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const none = await place.run(words(`${op.issuer}/elsewhere`));
    expect([none.code, none.stderr]).toEqual([64, expect.stringContaining("is not an issuer's metadata (404)")]);
    op.meanwhile = () => ({ status: 200, body: { issuer: "https://evil.example\u001b[2J" } });
    const foreign = await place.run(words(op.issuer));
    expect([foreign.code, foreign.stderr]).toEqual([
      4,
      expect.stringContaining(
        "says that it is https://evil.example\\x1b[2J, which is not how an issuer of the kind generic",
      ),
    ]);
    keepProfileFile(place, { issuer: { issuer: op.issuer, clientId: "alai" } });
    const later = await place.run("login --flow=browser --insecure-storage");
    expect([later.code, later.stderr]).toEqual([4, expect.stringContaining(`and ${op.issuer} was expected`)]);
  });

  test.concurrent("where the tokens will be kept is tried before any browser opens", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const noKeychain = {
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${place.file("no-bus")}`,
      XDG_RUNTIME_DIR: mkdtempSync(place.file("run-")),
    };
    const kept = wordsFor(op, "--flow=browser").filter((word) => word !== "--insecure-storage");
    const { code, stderr } = await place.run(kept, { env: { ...noKeychain, BROWSER: "/bin/false" } });
    expect([code, stderr]).toEqual([4, expect.stringContaining("--insecure-storage")]);
    expect(stderr).not.toContain("/auth?");
    expect(hasTokens(place)).toBe(false);
  });
});
