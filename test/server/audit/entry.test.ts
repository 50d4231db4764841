import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { networkOf } from "../../../server/src/audit/address.ts";
import { canonicalJson } from "../../../server/src/audit/canonical.ts";
import { type AuditInput, auditEntry } from "../../../server/src/audit/entry.ts";

const entry = (change: Partial<AuditInput>) =>
  auditEntry({ subject: "i|ann", action: "auth.denied", outcome: "denied", ...change }, 0);

describe("what is kept", () => {
  test("no token, whatever it stands in", () => {
    const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl";
    const service = "alai_st_0123456789012345678901234567890123456789012_abcdef";
    const kept = JSON.stringify(
      entry({
        subject: jwt,
        target: `GET /tasks?access_token=${jwt}`,
        detail: { reason: `Bearer ${service}`, other: service },
      }),
    );
    for (const secret of [jwt, service, "c2lnbmF0dXJl", "0123456789"]) expect(kept).not.toContain(secret);
  });

  test("no e-mail address in clear, but two people stay two", () => {
    const ann = entry({ subject: "https://i|ann@example.com" });
    const bob = entry({ subject: "https://i|bob@example.com" });
    expect(JSON.stringify([ann, bob])).not.toMatch(/@|example\.com/);
    expect(ann.subject).toMatch(/^https:\/\/i\|\[email [0-9a-f]{12}\]$/);
    expect(ann.subject).not.toBe(bob.subject);
    expect(entry({ detail: { asked: "to act as Ann@Example.com" } }).detail.asked).toBe(
      `to act as ${ann.subject?.slice("https://i|".length)}`,
    );
  });

  test("one line of limited length, and no half of a character", () => {
    const { target, subject } = entry({ target: `a\nb\u0000c\ud800${"x".repeat(10_000)}`, subject: "\u202eann" });
    expect(target).toHaveLength(301);
    expect(target?.startsWith("a b c")).toBe(true);
    expect(subject).toBe(" ann");
  });

  test("a network instead of an address", () => {
    expect(entry({ address: "203.0.113.77" }).address).toBe("203.0.113.0/24");
    expect(entry({}).address).toBe(null);
  });
});

test.each([
  ["192.0.2.77", "192.0.2.0/24"],
  ["::ffff:192.0.2.77", "192.0.2.0/24"],
  ["2001:db8:aaaa:bbbb:cccc::1", "2001:db8:aaaa::/48"],
  ["2001:DB8::1", "2001:db8:0::/48"],
  ["::1", "0:0:0::/48"],
  ["fe80::1%eth0", "fe80:0:0::/48"],
  ["64:ff9b::192.0.2.33", "64:ff9b:0::/48"],
  ["unix", "unknown"],
  ["", "unknown"],
])("the network of %j is %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

describe("canonical JSON", () => {
  test("as RFC 8785's own examples have it", () => {
    expect(
      canonicalJson({
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "1": "One",
        "\u0080": "Control",
        "\u00f6": "o",
        "\ufb33": "d",
      }),
    ).toBe('{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"o","\u20ac":"Euro Sign","\ufb33":"d"}');
    expect(
      canonicalJson({
        numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
        literals: [null, true, false],
      }),
    ).toBe('{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0]}');
    expect(canonicalJson('\u20ac$\u000f\nA\'B"\\\\"/')).toBe('"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  });

  test("is the same for the same value, in whatever order it was made", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: "grapheme" }),
          fc.oneof(fc.string({ unit: "grapheme" }), fc.integer(), fc.boolean(), fc.constant(null)),
        ),
        (value) => {
          const turned = Object.fromEntries(Object.entries(value).reverse());
          expect(canonicalJson(turned)).toBe(canonicalJson(value));
          expect(JSON.parse(canonicalJson(value))).toEqual({ ...value });
        },
      ),
    );
  });

  test("refuses what has no form of its own", () => {
    expect(() => canonicalJson(Number.NaN)).toThrow(TypeError);
    expect(() => canonicalJson("\ud800")).toThrow(TypeError);
  });
});
