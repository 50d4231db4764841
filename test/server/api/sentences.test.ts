import { BadInput, Refusal, type RefusalCode, StoreError } from "@alai/core";
import { problemOf, REFUSAL_STATUS } from "@alai/core/wire/problem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, served } from "./served.ts";

/** What a person reads who sent something wrong: one plain sentence a field, and what to do. */

let it_: Served;
beforeAll(async () => {
  it_ = await served();
  await it_.ledger.add([{ title: "one" }], { actor: "ann", session: "s1" });
});
afterAll(() => it_.close());

async function wrong(method: "GET" | "POST" | "PUT" | "PATCH", url: string, payload?: object) {
  const answer = await it_.app.inject({ method, url, ...(payload && { payload }), headers: { "alai-session": "s1" } });
  expect(answer.json()).toMatchObject({ status: 400, code: "bad_input", hint: expect.stringMatching(/\S/) });
  return answer.json().detail;
}

describe("a body", () => {
  it.each<[object, string]>([
    [{}, "title is missing"],
    [{ title: "" }, "title is empty"],
    [{ title: " " }, "title has no visible character"],
    [{ title: "a\0b" }, "title has a NUL character in it"],
    [{ title: 7 }, "title must be text"],
    [{ title: "x".repeat(1025) }, "title is longer than 1024 characters"],
    [{ title: "x", titel: "y" }, "body has an unknown field: titel"],
    [{ title: "x", a: 1, b: 2 }, "body has unknown fields: a, b"],
    [{ title: "x", parent: "1" }, "parent must be a whole number or null"],
    [{ title: "x", parent: 0 }, "parent must be at least 1"],
    [{ title: "x", due: 1.5 }, "due must be a whole number or null"],
    [{ title: "x", priority: 9 }, "priority must be one of 0, 1, 2, 3, 4"],
    [{ title: "x", tags: "a" }, "tags must be a list"],
    [{ title: "x", tags: ["a", ""] }, "tags.1 is empty"],
    [[], "body must be a JSON object"],
    [{ title: ["a", "b"] }, "title must be text"],
    [{ title: "", tags: 1 }, "title is empty; tags must be a list"],
  ])("%j", async (body, said) => {
    expect(await wrong("POST", "/tasks", body)).toBe(`The body is not what this route takes: ${said}.`);
  });

  it("that is not there", async () => {
    expect(await wrong("POST", "/tasks")).toBe("The body is not what this route takes: body is missing.");
  });

  it.each<[string, "POST" | "PATCH", object, string]>([
    ["/tasks/1/blockers", "PATCH", {}, "body must have exactly one of add, remove"],
    ["/tasks/1/blockers", "PATCH", { add: [1], remove: [1] }, "body must have exactly one of add, remove"],
    ["/tasks/1/blockers", "PATCH", { add: [] }, "add is empty"],
    ["/tasks/batch", "POST", {}, "verb is missing"],
    ["/tasks/batch", "POST", { verb: "note", ids: [1] }, "text is missing"],
    [
      "/tasks/batch",
      "POST",
      { verb: "x" },
      "verb must be one of add, get, edit, note, status, claim, extend, release, lease, approve",
    ],
    ["/leases/sweep", "POST", { release: 1 }, "release must be true or false"],
  ])("to %s %s: %j", async (url, method, body, said) => {
    expect(await wrong(method, url, body)).toBe(`The body is not what this route takes: ${said}.`);
  });
});

it.each([
  ["limit=1&limit=2", "limit is given twice"],
  ["after=a&after=b&after=c", "after is given 3 times"],
  ["limit=many", "limit must be a whole number"],
  ["limit=-1", "limit must be at least 0"],
  ["held=maybe", "held must be true or false"],
  ["strange=1", "query has an unknown field: strange"],
])("a query %s", async (query, said) => {
  expect(await wrong("GET", `/tasks?${query}`)).toBe(`The query is not what this route takes: ${said}.`);
});

it("a query with an order or a field that there is not is told those there are", async () => {
  expect(await wrong("GET", "/tasks?sort=titel")).toMatch(
    /sort\.0 must be one of urgency, id, .*title, each also with -/,
  );
  expect(await wrong("GET", "/tasks?fields=password")).toMatch(/fields\.0 must be one of id, title, /);
});

describe("without a session", () => {
  it.each<["PUT" | "PATCH" | "DELETE" | "POST", string, object | undefined]>([
    ["PUT", "/tasks/1/lease", {}],
    ["PATCH", "/tasks/1/lease", {}],
    ["DELETE", "/tasks/1/lease", undefined],
    ["POST", "/tasks/next/lease", {}],
    ["POST", "/tasks/batch", { verb: "claim", ids: [1] }],
    ["POST", "/tasks/batch", { verb: "extend", ids: [1] }],
    ["POST", "/tasks/batch", { verb: "release", ids: [1] }],
  ])("%s %s is refused: two scripts with one token would both hold the lease", async (method, url, payload) => {
    const answer = await it_.app.inject({ method, url, ...(payload && { payload }) });
    expect(answer.json()).toMatchObject({
      status: 400,
      code: "bad_input",
      detail: "The header Alai-Session is missing: a lease belongs to one session.",
      hint: expect.stringContaining("Send Alai-Session: NAME"),
    });
    expect((await it_.ledger.leaseStatus([1], { actor: "x", session: "y" }))[0]?.state).toBe("free");
  });

  it("the document says where it must be", async () => {
    const { paths } = (await it_.app.inject("/openapi.json")).json();
    const needed = Object.entries<
      Record<string, { operationId: string; parameters?: { name: string; required?: boolean }[] }>
    >(paths).flatMap(([, methods]) =>
      Object.values(methods).flatMap(({ operationId, parameters = [] }) =>
        parameters.some(({ name, required }) => name === "alai-session" && required) ? [operationId] : [],
      ),
    );
    expect(needed.sort()).toEqual(["claim", "claimNext", "extend", "release"]);
  });
});

it("every refusal of a ledger has a hint, also one that gives none", () => {
  const errors = [
    ...(Object.keys(REFUSAL_STATUS) as RefusalCode[]).map((code) => new Refusal(code, "No.")),
    new BadInput("No."),
    new StoreError("unavailable", "No."),
  ];
  for (const error of errors) expect(problemOf(error)?.hint, error.code).toMatch(/\S/);
});

it("a body that is no JSON by its type is told which type to send", async () => {
  const answer = await it_.app.inject({
    method: "POST",
    url: "/tasks",
    payload: '{"title":"x"}',
    headers: { "content-type": "text/plain" },
  });
  expect(answer.json()).toMatchObject({ status: 415, hint: expect.stringContaining("Content-Type: application/json") });
});
