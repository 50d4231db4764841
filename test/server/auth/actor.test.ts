import { validHolder } from "@alai/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bindActor } from "../../../server/src/auth/actor.ts";
import { actorName } from "../../../server/src/auth/jwt/actor-name.ts";
import type { Subject } from "../../../server/src/auth/subject.ts";

const ann: Subject = { id: "https://i|ann", actor: "ann", scopes: new Set(["tasks.write"]), mayActForOthers: false };
const gate: Subject = { ...ann, mayActForOthers: true };

describe("who a request acts as", () => {
  test("the subject's own actor, in one session for all who name none", () => {
    expect(bindActor(ann, {})).toEqual({ actor: "ann", session: "http" });
    expect(bindActor(ann, { "alai-session": "laptop-1" })).toEqual({ actor: "ann", session: "laptop-1" });
    expect(bindActor(ann, { "alai-actor": "ann" })).toEqual({ actor: "ann", session: "http" });
  });

  test("names are percent-encoded", () => {
    expect(bindActor(gate, { "alai-actor": "j%C3%B6rg", "alai-session": "a%25b" })).toEqual({
      actor: "jörg",
      session: "a%b",
    });
  });

  test("another's name needs a token that may act for others", () => {
    expect(bindActor(gate, { "alai-actor": "bob" }).actor).toBe("bob");
    for (const name of ["bob", "Ann", "ann%E2%80%8D", "%61nnn", "ANN"]) {
      let thrown: unknown;
      try {
        bindActor(ann, { "alai-actor": name });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject(
        name.includes("%E2") ? { code: "bad_input" } : { status: 403, code: "not_your_actor" },
      );
    }
  });

  test.each(["", "a b", "a:b", "a%0Ab", "a%00", "%", "%zz", "%C3", "a".repeat(129), "ann, bob"])(
    "%j is no name",
    (name) => {
      expect(() => bindActor(gate, { "alai-actor": name })).toThrow(expect.objectContaining({ code: "bad_input" }));
    },
  );
});

describe("the actor's name out of a claim", () => {
  test("is the claim itself where that is a name", () => {
    for (const name of ["ann", "ann@example.com", "Jörg", "a|b", "00000000-0000-0000-0000-000000000001"])
      expect(actorName(name)).toBe(name);
    expect(actorName("ann example")).toBe("ann%20example");
  });

  test("is always valid for a holder", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 300, unit: "binary" }),
        fc.constantFrom("", "i2", "~sub"),
        (value, prefix) => {
          expect(validHolder(actorName(value, prefix), "s").actor).toBe(actorName(value, prefix));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("is another one for every other value", () => {
    const tricky = fc.string({
      minLength: 1,
      unit: fc.constantFrom("a", "%", "~", ":", " ", "2", "0", "\u200d", "é", "e\u0301", "i"),
    });
    const value = fc.oneof(tricky, fc.string({ minLength: 100, maxLength: 200, unit: fc.constantFrom("a", ":") }));
    const prefix = fc.constantFrom("", "i2", "~sub", "i2~sub", "a");
    fc.assert(
      fc.property(value, value, prefix, prefix, (a, b, one, other) => {
        fc.pre(a !== b || one !== other);
        expect(actorName(a, one)).not.toBe(actorName(b, other));
      }),
      { numRuns: 5000 },
    );
  });
});
