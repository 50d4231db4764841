import { expect, test } from "vitest";
import { Limit } from "../../src/kit/http/limit.ts";
import { duration, readFrom, wholeNumber } from "../../src/kit/values.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("a limit longer than a timer can be has not passed at once", async () => {
  const limit = new Limit(duration("30d"));
  await sleep(20);
  expect([limit.why, limit.left > duration("29d")]).toEqual([null, true]);
  let slept = true;
  void limit.sleep(duration("30d")).then(() => (slept = false));
  await sleep(20);
  expect(slept).toBe(true);
  limit.end("interrupted");
});

test("a value from elsewhere is refused with the name of that place; nouns have their article", () => {
  expect(() => readFrom("ALAI_MC_TIMEOUT", () => duration("soon"))).toThrow(
    'ALAI_MC_TIMEOUT: "soon" is not a length of time.',
  );
  expect(() => wholeNumber("event number")("x")).toThrow('"x" is not an event number.');
  expect(() => wholeNumber("limit")("x")).toThrow('"x" is not a limit.');
});
