import { describe, expect, test } from "vitest";
import { RATE_DEFAULTS, rateHeaders, rateLimiter } from "../../../server/src/auth/rate-limit.ts";
import { invalidToken } from "../../../server/src/auth/refuse.ts";
import type { Authenticator, Subject } from "../../../server/src/auth/subject.ts";
import { Door } from "./door.ts";

const ann: Subject = { id: "i|ann", actor: "ann", scopes: new Set(["tasks.write"]), mayActForOthers: false };

describe("the buckets", () => {
  test("a burst, then a steady rate, for each subject by itself", () => {
    let ticks = 0;
    const { take } = rateLimiter({ perSecond: 10, burst: 20, failuresPerMinute: 0, perNetwork: 0 }, () => ticks);
    const many = (subject: Subject, count: number) =>
      Array.from({ length: count }, () => take(subject)?.allowed).filter(Boolean).length;
    expect(many(ann, 30)).toBe(20);
    expect(many({ ...ann, id: "i|bob" }, 30)).toBe(20);
    ticks += 1000;
    expect(many(ann, 30)).toBe(10);
    ticks += 3_600_000;
    expect(many(ann, 30)).toBe(20);
  });

  test("say what is left, and when to come again", () => {
    const { take } = rateLimiter({ perSecond: 1, burst: 2, failuresPerMinute: 0, perNetwork: 0 }, () => 0);
    const headers = () => rateHeaders(take(ann) ?? (undefined as never));
    expect(headers()).toEqual({ "ratelimit-limit": "2", "ratelimit-remaining": "1", "ratelimit-reset": "1" });
    headers();
    expect(headers()).toMatchObject({ "ratelimit-remaining": "0", "ratelimit-reset": "2", "retry-after": "1" });
  });

  test("an open server and a limit of 0 have none", () => {
    expect(rateLimiter(RATE_DEFAULTS).take({ ...ann, id: "open" })).toBe(null);
    const none = rateLimiter({ perSecond: 0, burst: 0, failuresPerMinute: 0, perNetwork: 0 });
    expect([none.take(ann), none.fail("192.0.2.1")]).toEqual([null, null]);
  });

  test("a million subjects do not fill the memory", () => {
    const { take } = rateLimiter(RATE_DEFAULTS);
    global.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let at = 0; at < 1_000_000; at++) take({ ...ann, id: `i|${at}` });
    global.gc?.();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150e6);
  });

  test("failures are counted by network: a /24, or the /56 of one customer", () => {
    const { fail } = rateLimiter({ ...RATE_DEFAULTS, failuresPerMinute: 2 }, () => 0);
    const allowed = (address: string) => fail(address)?.allowed;
    expect([allowed("192.0.2.1"), allowed("::ffff:192.0.2.9"), allowed("192.0.2.200"), allowed("192.0.3.1")]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect([allowed("2001:db8:0:aa01::1"), allowed("2001:db8:0:aa02::1"), allowed("2001:db8:0:aaff::9")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(allowed("2001:db8:0:ab00::1")).toBe(true);
  });
});

describe("a network", () => {
  test("has a bucket of its own before anyone signs in; this machine has none", () => {
    const { arrive } = rateLimiter({ ...RATE_DEFAULTS, perNetwork: 2 }, () => 0);
    const allowed = (address: string) => arrive(address)?.allowed ?? true;
    expect(["198.51.100.1", "198.51.100.2", "198.51.100.3"].map(allowed)).toEqual([true, true, false]);
    expect(allowed("203.0.113.1")).toBe(true);
    expect(["127.0.0.1", "127.0.0.1", "127.0.0.1", "::1"].map(allowed)).toEqual([true, true, true, true]);
  });
});

describe("the gate", () => {
  const authenticator: Authenticator = {
    description: "",
    async authenticate({ authorization }) {
      if (authorization === "Bearer good") return ann;
      throw invalidToken("bad");
    },
  };

  test("the 21st refused sign-in of a minute is 429; who has a good token is let in all the same", async () => {
    await using door = await new Door(authenticator, { failuresPerMinute: 20 }).open();
    for (let at = 0; at < 20; at++) expect((await door.bearer("bad")).status).toBe(401);
    const answer = await door.bearer("bad");
    expect([answer.status, answer.code]).toEqual([429, "rate_limited"]);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect((await door.bearer("good")).status).toBe(200);
  });

  test("what admins ask for, and the first use of another's name in an hour, are in the audit", async () => {
    const boss: Subject = { ...ann, id: "i|boss", actor: "boss", scopes: new Set(["admin"]), mayActForOthers: true };
    await using door = await new Door({ description: "", authenticate: async () => boss }).open();
    for (let at = 0; at < 3; at++) await door.ask(["alai-actor", "bob"]);
    await door.ask(["alai-actor", "boss"]);
    await door.ask(["alai-actor", "%zz"]);
    await door.ask(["x-scope", "admin"]);
    expect(door.audited.map(({ action, outcome, detail }) => [action, outcome, detail.actor])).toEqual([
      ["auth.act_as", "ok", "bob"],
      ["admin.request", "ok", undefined],
    ]);
  });

  test("a subject that asks too often gets 429, and is told when to come again", async () => {
    await using door = await new Door(authenticator, { perSecond: 5, burst: 5 }).open();
    const answers = [];
    for (let at = 0; at < 7; at++) answers.push(await door.bearer("good"));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(answers[0]?.headers).toMatchObject({ "ratelimit-limit": "5", "ratelimit-remaining": "4" });
    expect(answers[5]?.headers).toMatchObject({ "ratelimit-remaining": "0", "retry-after": "1" });
  });
});
