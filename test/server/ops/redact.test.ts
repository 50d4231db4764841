import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redactLine } from "../../../server/src/ops/index.ts";
import { growth, LINEAR } from "../../kit/growth.ts";

const JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIiwiZXhwIjoxfQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

/** What a value looks like after it went through a line. */
function through(value: unknown): string {
  const line = redactLine(`${JSON.stringify({ value })}\n`);
  expect(line.endsWith("\n")).toBe(true);
  return JSON.stringify(JSON.parse(line).value);
}

describe("a log line", () => {
  it.each([
    ["an e-mail address", "mail to jane.doe+x@mail.example.com now", "jane.doe"],
    ["one after a line break", "a\njane@example.com\nb", "jane"],
    ["one in a URL", "/x?mail=jane%40example.com", "jane"],
    ["one with letters beyond ASCII", "jürgen@bücher.example", "rgen@"],
    ["one that is quoted", '"jane doe"@example.com "jane"@example.com', 'jane\\"@'],
    ["one at an address", "jane@[10.1.2.3]", "jane"],
    ["one at a subdomain, in brackets", "<jane@a.b.example.co.uk>", "jane"],
    ["one in JSON in a string", JSON.stringify({ to: "jane@example.com" }), "jane"],
    ["a JWT", `token ${JWT}!`, "eyJhb"],
    ["a JWT after a line break", `x\n${JWT}`, "c2lnbm"],
    ["a service token", "alai_st_0a1B_-zz9", "0a1B"],
    ["a bearer token", "Authorization: Bearer abc.def/123=", "abc.def"],
    ["basic credentials", "basic dXNlcjpwYXNz=", "dXNlc"],
    ["a cookie in a text", "Cookie: sid=s3cr3t", "s3cr3t"],
    ["a password in a text", "connect with password=hunter2 failed", "hunter2"],
    ["a password in JSON in a string", JSON.stringify({ password: "hunter2" }), "hunter2"],
    ["credentials of a URL", "postgres://bob:hunter2@db.internal/x", "hunter2"],
    ["credentials without a name", "postgres://:hunter2@db/x", "hunter2"],
    ["a query value", "GET /tasks?text=secretplan&limit=5", "secretplan"],
    ["an IPv4 address", "from 203.0.113.77:4711", "113.77"],
    ["an IPv4 address in IPv6", "from ::ffff:203.0.113.77", "113.77"],
    ["an IPv6 address", "from 2001:db8:85a3:8d3:1319:8a2e:370:7348 here", "8d3"],
    ["a short one", "from 2001:db8:85a3:8d3::99", "8d3"],
    ["one in brackets", "http://[2001:db8:85a3:8d3::99]:8787/", "8d3"],
    ["one after a line break", "x\n2001:db8:85a3:8d3::99", "8d3"],
  ])("hides %s", (_what, text, canary) => {
    expect(through(text)).not.toContain(canary);
    expect(through({ deep: [{ er: text }] })).not.toContain(canary);
  });

  it.each([
    "authorization",
    "cookie",
    "set-cookie",
    "Set-Cookie",
    "password",
    "client_secret",
    "refresh_token",
    "token",
  ])("hides the field %s, whatever it holds", (name) => {
    for (const value of ["can ary", 'can"ary', "can\\ary", ["can", "ary"], 4711])
      expect(through({ a: { [name]: value }, b: 1 })).toBe(`{"a":{"${name}":"[secret]"},"b":1}`);
    expect(through(["host", "x", name, 'a="b"; c'])).not.toContain("b");
    for (const harmless of [null, true, {}, [], ""]) through({ [name]: harmless });
  });

  it.each([
    "a plain sentence about task 99927, held until 2026-05-08T12:30:00Z",
    "took 12:30:45, version 1.2.3, 50% @ noon, std::vector in C++, :: alone, node:internal/process:95:5",
    "at Object.<anonymous> (/work/main/server/src/app.ts:12:34)",
    "@fastify/websocket@11.3.6 is not loaded",
    "GET /events?after=12&task=3&limit=5&wait=1000",
    "the token is expired; basic facts; bearer of news",
    "4bf92f3577b34da6a3ce929d0e0e4736",
  ])("leaves alone: %s", (text) => {
    expect(through(text)).toBe(JSON.stringify(text));
  });

  it("keeps what tells networks apart", () => {
    expect(through("203.0.113.77")).toBe('"203.0.113.0/24"');
    expect(through("2001:db8:85a3:8d3::99")).toBe('"2001:db8:85a3::/48"');
    expect(through("::1")).toBe('"0:0:0::/48"');
    expect(through("203.0.113.0/24 and 2001:db8:85a3::/48")).toBe('"203.0.113.0/24 and 2001:db8:85a3::/48"');
  });

  it("is still JSON, whatever is in it", () => {
    const piece = fc.constantFrom(
      ...[
        '"',
        "\\",
        "\n",
        "@",
        "a@b.co",
        ":",
        "::",
        "=",
        "?",
        "&",
        "{",
        "}",
        "[",
        "]",
        ",",
        "%40",
        "eyJ",
        ".",
        "\u0000",
      ],
      ...["password", "cookie", "token", "Bearer ", "1.2.3.4", "2001:db8::", "alai_st_", "://", "x", "7", "é", JWT],
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
    const value = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, text, fc.integer(), fc.constant(null), tie("list"), tie("object")),
      list: fc.array(tie("value"), { maxLength: 3 }),
      object: fc.dictionary(text, tie("value"), { maxKeys: 3 }),
    })).value;
    fc.assert(
      fc.property(value, (it) => {
        const line = redactLine(JSON.stringify({ it }));
        expect(() => JSON.parse(line)).not.toThrow();
        expect(line).not.toMatch(/a@b\.co|c2lnbmF0dXJl|(?<!\d)1\.2\.3\.4(?!\d)/);
      }),
      { numRuns: 5000 },
    );
  });

  it("takes time that grows with the length and no faster, whatever is in it", async () => {
    const long = 400_000;
    for (const piece of [
      "a",
      "@",
      "a@",
      ":",
      "1.",
      "0:",
      "%40",
      '\\"',
      "eyJ",
      "password=",
      "?a=",
      "://",
      "bearer ",
      "cookie",
    ]) {
      const lines = new Map<number, string>();
      const look = (size: number) => {
        const line = lines.get(size) ?? JSON.stringify({ value: piece.repeat(size / piece.length) });
        lines.set(size, line);
        redactLine(line);
      };
      expect(await growth(look, long), piece).toBeLessThan(LINEAR);
    }
  });
});
