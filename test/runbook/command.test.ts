import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BookStack } from "../doubles/bookstack.ts";
import { BUILDS, type Build, Place } from "../scripts/harness.ts";

const SOURCES: Build = {
  name: "sources",
  command: [process.execPath, "--", join(import.meta.dirname, "..", "..", "bin", "alai.ts")],
};

/** Nobody answers at any of its addresses, and storage has no credentials. */
const manifest = (url: string) => `hosts:
  - { name: anvil, role: primary, user: u, os: linux, databases: /nowhere/db, state: /nowhere/state, addresses: [127.0.0.1], port: 9 }
  - { name: forge, role: standby, user: u, os: linux, databases: /nowhere/b, state: /nowhere/c, addresses: [127.0.0.2], port: 9 }
storage: { type: azure, account: nobody, container: nothing, endpoint: "http://127.0.0.1:9/nobody" }
tiers:
  - { name: p1, retention: 72h, sync-interval: 1s, heartbeat: 60s, rpo: 2m }
databases:
  - { name: tasks, tier: p1 }
watch: { interval: 10s, misses: 2, escalate-after: 5m }
runbook: { url: "${url}", book: Recovery, secret: BOOKSTACK_TOKEN }
`;

interface Made extends AsyncDisposable {
  readonly place: Place;
  readonly bookStack: BookStack;
}

async function make(build: Build): Promise<Made> {
  const bookStack = await BookStack.start();
  const place = new Place(build);
  Object.assign(place.env, { ALAI_DR_MANIFEST: place.file("dr.manifest.yaml"), BOOKSTACK_TOKEN: bookStack.token });
  writeFileSync(place.file("dr.manifest.yaml"), manifest(bookStack.url));
  const close = async () => {
    place[Symbol.dispose]();
    await bookStack[Symbol.asyncDispose]();
  };
  return { place, bookStack, [Symbol.asyncDispose]: close };
}

describe.each(BUILDS)("$name:", (build) => {
  test("rendered twice, pushed twice, an edit shown and forced; nothing secret anywhere", async () => {
    await using made = await make(build);
    const { place, bookStack } = made;
    const first = await place.run("runbook render");
    expect([first.code, first.stdout.split("\n")[0]]).toEqual([0, "01-overview.md\tnew\tOverview"]);
    expect(first.stderr).toContain("neither a host nor storage answered");
    const again = await place.json<{ state: string }[]>("runbook render");
    expect(new Set(again.map(({ state }) => state))).toEqual(new Set(["same"]));
    const written = readdirSync(place.file("runbook")).map((name) =>
      readFileSync(join(place.file("runbook"), name), "utf8"),
    );
    expect(written).toHaveLength(10);

    expect((await place.run("runbook push --dry-run")).code).toBe(0);
    expect(bookStack.writes).toEqual([]);
    await place.ok("runbook push");
    bookStack.asked.length = 0;
    expect((await place.ok("runbook push")).split("\n").every((line) => line.startsWith("same\t"))).toBe(true);
    expect(bookStack.writes).toEqual([]);

    bookStack.edit("Alerts", (text) => `${text}\n\nCall Ann \u001b[31mfirst.`);
    const edited = await place.run("runbook push");
    expect([edited.code, edited.stdout]).toEqual([1, expect.stringContaining("edited\tAlerts\t")]);
    expect(edited.stderr).toContain("-Call Ann \\x1b[31mfirst.");
    const forced = await place.run(["runbook", "push", "--force", "Alerts", "--json=page,state,kept"]);
    const alerts = (JSON.parse(forced.stdout) as { page: string; state: string; kept: string }[]).find(
      ({ page }) => page === "Alerts",
    );
    expect([forced.code, alerts?.state]).toEqual([0, "changed"]);
    expect(readFileSync(alerts?.kept ?? "", "utf8")).toContain("Call Ann");
    const [, secret = ""] = bookStack.token.split(":");
    for (const text of [...written, edited.stdout, edited.stderr, first.stderr]) expect(text).not.toContain(secret);
  });

  test("a wrong token, a page that does not exist, a manifest without BookStack, a file in the way", async () => {
    await using made = await make(build);
    const { place, bookStack } = made;
    const wrong = await place.run("runbook push", { env: { BOOKSTACK_TOKEN: "some:thing" } });
    expect([wrong.code, wrong.stdout]).toEqual([4, ""]);
    expect(wrong.stderr).toContain("No matching API token was found");
    const page = await place.run("runbook push --force Nothing");
    expect([page.code, page.stderr]).toEqual([64, expect.stringContaining("Pages are: Overview, Node inventory")]);
    writeFileSync(place.file("bare.yaml"), manifest(bookStack.url).replace(/runbook: .*\n/, ""));
    expect((await place.run("runbook push --manifest bare.yaml")).code).toBe(3);
    writeFileSync(place.file("plain.yaml"), manifest("http://wiki.example.com"));
    expect((await place.run("runbook push --manifest plain.yaml")).code).toBe(64);
    await place.ok("runbook render --out r");
    writeFileSync(place.file("r/07-alerts.md"), "mine");
    expect(await place.run("runbook render --out r")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("07-alerts.md was not written"),
    });
    expect(bookStack.writes).toEqual([]);
  });
});

test("killed in the middle of a push, before and after a page was taken: the next one completes it", async () => {
  for (const at of [2, 5]) {
    await using made = await make(SOURCES);
    const { place, bookStack } = made;
    let writes = 0;
    const running = place.start("runbook push");
    bookStack.onAnswer = async (asked) => {
      if (asked.startsWith("GET") || ++writes !== at) return "answer";
      running.signal("SIGKILL");
      await running.ended;
      return "cut";
    };
    expect((await running.ended).signal).toBe("SIGKILL");
    expect(bookStack.pages).toHaveLength(at - 1);
    const rows = await place.json<{ state: string }[]>("runbook push");
    expect(rows.map(({ state }) => state)).toEqual(rows.map((_, place) => (place < at - 1 ? "same" : "new")));
    expect(bookStack.pages).toHaveLength(10);
    expect(new Set(bookStack.pages.map(({ name }) => name)).size).toBe(10);
  }
});
