import { describe, expect, test } from "vitest";
import { Op } from "../../doubles/op.ts";
import { BUILDS, Place } from "../../scripts/harness.ts";
import { onTerminal } from "../../scripts/terminal.ts";
import { endedWithin, hasTokens, saysOnStderr, signIn, type, wordsFor } from "./world.ts";

/** Over ssh, at an issuer without device codes: the address of the last page is pasted. */

async function startPaste(place: Place, op: Op) {
  const running = place.start(wordsFor(op, "--flow=paste"), { input: null });
  const [address = ""] = await saysOnStderr(running, /http:\S+\/auth\?\S+(?=\n)/);
  return { running, url: new URL(address) };
}

describe.each(BUILDS)("$name: the paste flow", (build) => {
  test.concurrent("the whole address signs in; the line's end is enough", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const { running, url } = await startPaste(place, op);
    expect(url.searchParams.get("redirect_uri")).toBe("http://127.0.0.1:8400/callback");
    type(running, `  ${await signIn({ url })} \r\n`);
    expect(await endedWithin(running, 30_000)).toMatchObject({ code: 0 });
    expect(await place.json("auth status")).toMatchObject({ flow: "paste", signed_in: true });
  });

  test.concurrent("on a terminal it is asked for", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const line = ["alai", ...wordsFor(op), "--flow=paste"].join(" ");
    const running = onTerminal(place, line, { input: null });
    const [address = ""] = await running.says(/http:\S+\/auth\?\S+(?=\r?\n)/);
    await running.says(/Paste it here/);
    type(running, `${await signIn({ url: new URL(address) })}\r`);
    await running.says(/Signed in as ann@example\.com/);
    expect(await endedWithin(running, 30_000)).toMatchObject({ code: 0 });
  });

  test.concurrent.each([
    ["the code alone", ({ searchParams }: URL) => searchParams.get("code") ?? "", 64],
    ["nothing", () => "", 64],
    ["the page of the sign-in", ({ href }: URL) => href.replace("/callback", "/auth"), 64],
    ["another host", ({ href }: URL) => href.replace("127.0.0.1", "evil.example"), 64],
    ["another page", ({ href }: URL) => href.replace("/callback?", "/callback.evil?"), 64],
    ["another sign-in's", ({ href }: URL) => href.replace(/state=[^&]+/, "state=another"), 4],
    ["one without the state", ({ href }: URL) => href.replace(/state=[^&]+/, ""), 4],
    ["two states", ({ href }: URL) => `${href}&state=another`, 4],
    ["two codes", ({ href }: URL) => `${href}&code=another`, 4],
  ] as const)("%s is refused", async (_, change, exit) => {
    using place = new Place(build);
    await using op = await Op.start();
    const { running, url } = await startPaste(place, op);
    type(running, `${change(await signIn({ url }))}\n`);
    const { code, stderr } = await running.ended;
    expect(code).toBe(exit);
    if (exit === 64) expect(stderr).toContain("It begins with http://127.0.0.1:8400/callback; copy all of it");
    expect(op.count("POST /token")).toBe(0);
    expect(hasTokens(place)).toBe(false);
  });

  test.concurrent("Ctrl-C: 130 at once, although standard input is open", async () => {
    using place = new Place(build);
    await using op = await Op.start();
    const { running } = await startPaste(place, op);
    running.signal("SIGINT");
    expect(await endedWithin(running, 20_000)).toMatchObject({ code: 130 });
    const terminal = onTerminal(place, ["alai", ...wordsFor(op), "--flow=paste"].join(" "), { input: null });
    await terminal.says(/Paste it here/);
    type(terminal, "\u0003");
    expect(await endedWithin(terminal, 20_000)).toMatchObject({ code: 130 });
    expect(hasTokens(place)).toBe(false);
  });
});
