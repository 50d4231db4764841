import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BUILDS, Place } from "../scripts/harness.ts";
import { screen } from "../scripts/terminal.ts";
import { git } from "./company.ts";
import { keepProfile, setUp } from "./set-up.ts";

/** `alai bootstrap` on a host where nobody is, against a real provider, the real bw and real git. */

/** Each start of bw takes a second alone, and ten where a machine has much else to do. */
const SLOW = 400_000;
const TRUST = " --trust-hooks";
const ALL_NEW = { "sign-in": "done", secrets: "done", items: "ok", "~/.claude": "done", hooks: "done", ledger: "ok" };
const ALL_OK = { ...ALL_NEW, "sign-in": "ok", secrets: "ok", "~/.claude": "ok", hooks: "ok" };

describe.each(BUILDS)("$name: bootstrap", { concurrent: true, timeout: SLOW }, (build) => {
  test("sets up a host where nobody is, and the second time changes nothing", async () => {
    await using setting = await setUp(build);
    const { company, run, claude } = setting;
    const first = await run(TRUST, company.given());
    expect(first.states).toMatchObject(ALL_NEW);
    expect(readFileSync(join(claude, "CLAUDE.md"), "utf8")).toBe("Be kind.\n");
    expect(readFileSync(join(claude, "settings.json"), "utf8")).toContain("hook claim-gate");
    const second = await run();
    expect(second.states).toMatchObject(ALL_OK);
    expect(company.op.count("POST /token")).toBe(1);
    for (const text of [JSON.stringify(first), JSON.stringify(second)])
      expect(text).not.toMatch(/canary|secret-secret|correct horse/);
  });

  test("keeps working when the vault is away: what it needs was sealed", async () => {
    await using setting = await setUp(build);
    const { place, company, run } = setting;
    await run("", company.given());
    await company.vault.stop();
    await place.ok("secrets lock", { env: company.env });
    const { states, steps } = await run();
    expect(states).toMatchObject({ secrets: "ok", items: "ok" });
    expect(steps.find(({ step }) => step === "items")?.finding).toContain("sealed here");
    const grep = place.spawn(["grep", "-rlE", "canary|secret-secret|correct horse", place.file("home")]);
    expect((await grep.ended).stdout).toBe("");
  });

  test("names what is missing, and goes on with the rest", async () => {
    await using setting = await setUp(build);
    const { company, run, keepProfile } = setting;
    const expected = [{ what: "SSH key", reference: "bw://Nowhere" }];
    keepProfile(company.profile({ secrets: { server: company.vault.url, expected } }));
    const { code, states, steps } = await run(TRUST, company.given());
    expect([code, states]).toMatchObject([1, { items: "left", "~/.claude": "done", hooks: "done" }]);
    expect(steps.find(({ step }) => step === "items")?.todo[0]).toMatch(/^SSH key: add bw:\/\/Nowhere to the vault/);
  });

  test("brings ~/.claude forward, never over a person's changes", async () => {
    await using setting = await setUp(build, false);
    const { company, run, claude } = setting;
    await run(TRUST, company.given());
    company.push({ "CLAUDE.md": "Be kinder.\n" });
    expect((await run(TRUST)).states).toMatchObject({ "~/.claude": "done", hooks: "ok" });
    expect(readFileSync(join(claude, "CLAUDE.md"), "utf8")).toBe("Be kinder.\n");
    writeFileSync(join(claude, "CLAUDE.md"), "mine\n");
    company.push({ "CLAUDE.md": "theirs\n" });
    const { code, states } = await run(TRUST);
    expect([code, states["~/.claude"]]).toEqual([1, "left"]);
    expect(readFileSync(join(claude, "CLAUDE.md"), "utf8")).toBe("mine\n");
    expect(git(claude, "status", "--porcelain")).toContain("CLAUDE.md");
  });

  test("leaves a ~/.claude alone that is no clone", async () => {
    await using setting = await setUp(build, false);
    const { company, run, claude } = setting;
    mkdirSync(claude);
    writeFileSync(join(claude, "CLAUDE.md"), "mine\n");
    expect((await run("", company.given())).states["~/.claude"]).toBe("left");
    expect(existsSync(join(claude, ".git"))).toBe(false);
    expect(readFileSync(join(claude, "CLAUDE.md"), "utf8")).toBe("mine\n");
  });
});

describe.each(BUILDS)("$name: start, on a screen and in a pipe", { concurrent: true, timeout: SLOW }, (build) => {
  test("what is essential is said without colour", async () => {
    using place = new Place(build);
    const issuer = { issuer: "https://login.example.com", clientId: "alai" };
    const services = [
      { name: "anvil", kind: "host", essential: true },
      { name: "forge", kind: "host" },
    ];
    keepProfile(place, JSON.stringify({ issuer, services }));
    const { text, code } = await screen(place, "NO_COLOR=1 alai start");
    expect(code).toBe(1);
    expect(text).toMatch(/WHAT +KIND +ESSENTIAL +MS +FINDING/);
    expect(text).toMatch(/^. +anvil +host +yes +not configured/m);
    expect(text).toMatch(/^. +forge +host +not configured/m);
    const lines = (await place.run("start")).stdout;
    expect(lines).toMatch(/^none\tanvil\thost\ttrue\t/m);
    expect(lines).toMatch(/^none\tforge\thost\tfalse\t/m);
    const fields: unknown = JSON.parse((await place.run("start --json=name,essential")).stdout);
    expect(fields).toEqual(expect.arrayContaining([{ name: "anvil", essential: true }]));
    expect(fields).toEqual(expect.arrayContaining([{ name: "forge", essential: false }]));
    expect(await place.ok("start --help")).toContain("docs/new-machine.md");
  });
});

describe.each(BUILDS)("$name: start", { concurrent: true, timeout: SLOW }, (build) => {
  test("looks at everything at once; what is essential decides", async () => {
    await using setting = await setUp(build);
    const { place, company, run, keepProfile } = setting;
    await run("", company.given());
    const service = (name: string, url: string | null, essential: boolean) => ({
      name,
      kind: "host",
      ...(url && { url }),
      essential,
    });
    const services = (essential: boolean) => [
      service("anvil", `${company.op.issuer}/.well-known/openid-configuration`, true),
      service("forge", "http://127.0.0.1:9/health", essential),
      service("later", null, false),
    ];
    keepProfile(company.profile({ services: services(false) }));
    const looks = await place.json<{ name: string; state: string; latency_ms: number | null }[]>("start", {
      env: company.env,
    });
    const states = Object.fromEntries(looks.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({
      "sign-in": "ok",
      ledger: "ok",
      vault: "ok",
      anvil: "ok",
      forge: "down",
      later: "none",
      hive: "none",
    });
    expect(looks.find(({ name }) => name === "anvil")?.latency_ms).toBeGreaterThanOrEqual(0);
    keepProfile(company.profile({ services: services(true) }));
    expect((await place.run("start", { env: company.env })).code).toBe(1);
    const secrets = { server: company.vault.url, essential: true };
    keepProfile(company.profile({ secrets, services: [] }));
    expect((await place.run("start", { env: company.env })).code).toBe(0);
    // What this machine has of the vault does not make it answer.
    await company.vault.stop();
    const { code, stdout } = await place.run("start --json=name,state", { env: company.env });
    expect([code, JSON.parse(stdout)]).toEqual([1, expect.arrayContaining([{ name: "vault", state: "down" }])]);
  });
});
