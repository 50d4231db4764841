import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { startLogin, wordsFor } from "./world.ts";

/** A real browser: it follows the provider's redirects with its own rules, and shows the page that alai answers. */

const CHROMIUM = "/usr/bin/chromium";
const isMissing = !existsSync(CHROMIUM);

test.runIf(process.env.CI)("chromium is installed where all must be tested", () => expect(isMissing).toBe(false));

describe.skipIf(isMissing)("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  test.each(BUILDS)("$name: a person signs in, agrees, and reads that it is done", async (build) => {
    using place = new Place(build);
    await using op = await Op.start();
    const { running, url } = await startLogin(place, wordsFor(op, "--flow=browser"));
    const page = await (await browser.newContext()).newPage();
    await page.goto(url.href);
    await page.fill('input[name="login"]', "ann");
    await page.fill('input[name="password"]', "any");
    await page.click('button[type="submit"]');
    await page.click('button[type="submit"]');
    await page.waitForURL(/\/callback\?/);
    expect(await page.textContent("p")).toBe("You are signed in. Go back to the terminal.");
    expect((await running.ended).code).toBe(0);
    expect(await place.json("whoami")).toMatchObject({ subject: "ann", email: "ann@example.com" });
  });

  test.each(BUILDS)("$name: a person presses cancel: the page and the terminal say so", async (build) => {
    using place = new Place(build);
    await using op = await Op.start();
    const { running, url } = await startLogin(place, wordsFor(op, "--flow=browser"));
    const page = await (await browser.newContext()).newPage();
    await page.goto(url.href);
    await page.click("text=[ Cancel ]");
    await page.waitForURL(/\/callback\?/);
    expect(await page.textContent("p")).toBe("The sign-in was refused. The terminal says more.");
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([4, expect.stringContaining("(access_denied).\nSomebody pressed Cancel")]);
  });
});
