import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BadInput } from "@alai/core";
import { afterAll, describe, expect, test } from "vitest";
import { findSetting, readSettings, SETTINGS } from "../../src/kit/settings.ts";

const dir = mkdtempSync(join(tmpdir(), "alai-settings-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function read(text: string): Record<string, unknown> {
  const file = join(dir, "config.json");
  writeFileSync(file, text);
  return Object.fromEntries(readSettings(file));
}

describe("readSettings", () => {
  test("reads nested and dotted keys", () => {
    expect(read('{"actor":"joe","mc":{"ttl":"5m","requireEvidence":true}}')).toEqual({
      actor: "joe",
      "mc.ttl": "5m",
      "mc.requireEvidence": true,
    });
    expect(read('{"mc.ttl":"5m"}')).toEqual({ "mc.ttl": "5m" });
    expect([read(""), read("{}"), read(" \n")]).toEqual([{}, {}, {}]);
  });

  test("no file is no settings", () => {
    expect(readSettings(join(dir, "none.json")).size).toBe(0);
    expect(readSettings(join(dir, "config.json", "below")).size).toBe(0);
  });

  test.each([
    "{",
    "[1]",
    "5",
    "null",
    '{"nope":"x"}',
    '{"mc":{"nope":"x"}}',
    '{"mc":{"ttl":5}}',
    '{"mc":{"ttl":null}}',
    '{"mc":{"ttl":["5m"]}}',
    '{"mc":{"ttl":"25h"}}',
    '{"hook":{"taskPattern":"("}}',
  ])("%s is refused", (text) => expect(() => read(text)).toThrow(BadInput));
});

describe("each setting", () => {
  test.each([
    ["actor", "joe", "joe"],
    ["mc.ttl", "24h", "24h"],
    ["mc.lockTimeout", "50ms", "50ms"],
    ["mc.requireEvidence", "Yes", true],
    ["mc.requireEvidence", "off", false],
    ["hook.taskPattern", "TASK-(\\d+)", "TASK-(\\d+)"],
  ])("%s takes %s", (key, raw, value) => expect(findSetting(key).parse(raw)).toBe(value));

  test.each([
    ["actor", ""],
    ["mc.ttl", "25h"],
    ["mc.ttl", "10"],
    ["mc.lockTimeout", "soon"],
    ["mc.requireEvidence", "maybe"],
    ["hook.taskPattern", "("],
    ["hook.taskPattern", "none"],
    ["hook.taskPattern", "(a)(b)"],
  ])("%s refuses %j", (key, raw) => expect(() => findSetting(key).parse(raw)).toThrow(BadInput));

  test("an unknown key is answered with those there are", () => {
    expect(() => findSetting("mc.tll")).toThrow(/no setting "mc.tll"/);
    expect(() => findSetting("toString")).toThrow(BadInput);
  });

  test("keys are there once, and have a summary", () => {
    expect(new Set(SETTINGS.map((setting) => setting.key)).size).toBe(SETTINGS.length);
    for (const { summary } of SETTINGS) expect(summary.length).toBeGreaterThan(5);
  });
});
