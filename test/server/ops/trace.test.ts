import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { formatTraceparent, parseTraceparent, requestIdOf, traceOf } from "../../../server/src/ops/index.ts";
import { observedApp } from "./app.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const request = (headers: object) => ({ headers }) as IncomingMessage;

describe("traceparent", () => {
  it("is read as the standard has it", () => {
    const read = { traceId: TRACE, parentId: SPAN, sampled: true };
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual(read);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)).toEqual({ ...read, sampled: false });
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-03`)).toEqual(read);
    // A later version may have more behind what we know.
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes`)).toEqual(read);
  });

  it.each([
    undefined,
    "",
    "hello",
    [`00-${TRACE}-${SPAN}-01`],
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01 `,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0x`,
  ])("is ignored when it is wrong: %s", (header) => {
    expect(parseTraceparent(header)).toBeNull();
    const trace = traceOf(request({ traceparent: header }));
    expect(trace).toMatchObject({ parentId: null, traceId: expect.stringMatching(/^[\da-f]{32}$/) });
    expect(trace.traceId).not.toBe(TRACE);
  });

  it("goes on with the caller's trace, in a span of its own; the same for one request", () => {
    const one = request({ traceparent: `00-${TRACE}-${SPAN}-01` });
    const trace = traceOf(one);
    expect(trace).toMatchObject({ traceId: TRACE, parentId: SPAN, sampled: true });
    expect(trace.spanId).not.toBe(SPAN);
    expect(traceOf(one)).toBe(trace);
    expect(formatTraceparent(trace)).toBe(`00-${TRACE}-${trace.spanId}-01`);
  });

  it("has ids that are never the same", () => {
    const ids = Array.from({ length: 5000 }, () => traceOf(request({})).traceId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("and x-request-id are in every answer, refusals too", async () => {
    const { app } = await observedApp();
    for (const url of ["/tasks/1", "/nowhere", "/bug"]) {
      const { headers } = await app.inject({
        url,
        headers: { traceparent: `00-${TRACE}-${SPAN}-01`, "x-request-id": "me.1" },
      });
      expect(headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-[\\da-f]{16}-01$`));
      expect(headers["x-request-id"]).toBe("me.1");
    }
  });
});

describe("x-request-id", () => {
  it("is the caller's when it may stand in logs and headers", () => {
    for (const id of ["a", "A-b_c.9", "x".repeat(64)]) expect(requestIdOf({ "x-request-id": id })).toBe(id);
    for (const id of ["", "x".repeat(65), "a b", "a\nb", 'a"b', "é", "a;b"]) {
      const made = requestIdOf({ "x-request-id": id });
      expect(made).not.toBe(id);
      expect(made).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    }
    expect(requestIdOf({})).not.toBe(requestIdOf({}));
  });
});
