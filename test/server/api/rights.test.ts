import { afterEach, expect, it } from "vitest";
import type { Gate } from "../../../server/src/auth/index.ts";
import type { Subject } from "../../../server/src/auth/subject.ts";
import { requireScope } from "../../../server/src/http/scope.ts";
import { type Served, served } from "./served.ts";

let it_: Served | undefined;
afterEach(() => it_?.close());

const writer: Subject = {
  id: "i|w",
  actor: "writer",
  scopes: new Set(["tasks.read", "tasks.write"]),
  mayActForOthers: true,
};
const admin: Subject = { ...writer, id: "i|a", scopes: new Set(["admin"]) };

/** Lets everyone in as `subject`. */
function as(subject: Subject): Gate {
  return {
    async enter(_request, scope) {
      requireScope(subject, scope);
      return subject;
    },
    arrive() {},
    refused() {},
  };
}

async function doneByAnother(subject: Subject, headers: Record<string, string>) {
  it_ = await served(as(subject));
  await it_.ledger.add([{ title: "held" }], { actor: "ann", session: "s1" });
  await it_.ledger.claim([1], { actor: "ann", session: "s1" }, 60_000);
  const { statusCode, headers: said } = await it_.app.inject({
    method: "PUT",
    url: "/tasks/1/status",
    payload: { verb: "done" },
    headers,
  });
  const [task] = await it_.ledger.get([1]);
  return { statusCode, status: task?.status, said };
}

it.each<[string, Subject, Record<string, string>, string, string]>([
  [
    "a scope",
    { ...writer, scopes: new Set(["tasks.read"]) },
    {},
    "insufficient_scope",
    "Ask for a token with the scope tasks.write; this one has tasks.read.",
  ],
  [
    "the scope admin",
    writer,
    { "alai-lease-enforce": "0" },
    "insufficient_scope",
    "Ask for a token with the scope admin; this one has tasks.read, tasks.write.",
  ],
  [
    "any scope",
    { ...writer, scopes: new Set() },
    {},
    "insufficient_scope",
    "Ask for a token with the scope tasks.write; this one has none.",
  ],
  [
    "another's name",
    { ...writer, mayActForOthers: false },
    { "alai-actor": "ann" },
    "not_your_actor",
    "Another's name needs the scope act.as",
  ],
])("who lacks %s is told which", async (_what, subject, headers, code, hint) => {
  it_ = await served(as(subject));
  const answer = await it_.app.inject({ method: "POST", url: "/tasks", payload: { title: "x" }, headers });
  expect(answer.json()).toMatchObject({ status: 403, code, hint: expect.stringContaining(hint) });
  const scope = /the scope ([a-z.]+)/.exec(hint)?.[1];
  expect(answer.headers["www-authenticate"]).toBe(`Bearer realm="alai", error="insufficient_scope", scope="${scope}"`);
});

it("nobody changes a task that another holds", async () => {
  expect(await doneByAnother(writer, {})).toMatchObject({ statusCode: 409, status: "open" });
});

it.each(["", "2", "00", "off", "true"])("enforcement is not switched by %j", async (value) => {
  expect(await doneByAnother(admin, { "alai-lease-enforce": value })).toMatchObject({
    statusCode: 400,
    status: "open",
  });
});

it("enforcement is switched off by admins only, and the answer says what was passed over", async () => {
  expect(await doneByAnother(writer, { "alai-lease-enforce": "0" })).toMatchObject({ statusCode: 403, status: "open" });
  await it_?.close();
  const done = await doneByAnother(admin, { "alai-lease-enforce": "0" });
  expect(done).toMatchObject({ statusCode: 200, status: "done" });
  expect(JSON.parse(decodeURIComponent(String(done.said["alai-passed-over"])))).toMatchObject([{ code: "held" }]);
});
