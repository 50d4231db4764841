import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createLog } from "../../../src/dr/agent/log.ts";
import { OWN_LOG, rotateOwnLog } from "../../../src/dr/agent/own-log.ts";
import { LARGEST } from "../../../src/dr/agent/rotate.ts";
import { readManifest } from "../../../src/dr/manifest/read.ts";
import { World } from "../world.ts";

const ALAI = join(import.meta.dirname, "../../../bin/alai.ts");

let folder: string;
let said: string;
const log = createLog(
  (line) => {
    said += line;
  },
  "1",
  () => 0,
);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-own-log-"));
  said = "";
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("the agent's own log is put aside when it is too long, and goes on from its beginning", () => {
  const file = join(folder, OWN_LOG);
  // As launchd opens it.
  const fd = openSync(file, "a");
  for (const round of [1, 2, 3, 4, 5]) {
    writeSync(fd, `${round}: much\n`);
    rotateOwnLog(folder, log, { fd, largest: 1000 });
    expect(readFileSync(file, "utf8")).toBe(`${round}: much\n`);
    writeSync(fd, "x".repeat(1000));
    rotateOwnLog(folder, log, { fd, largest: 1000 });
    expect(statSync(file).size).toBe(0);
    expect(readFileSync(`${file}.1`, "utf8")).toContain(`${round}: much`);
  }
  closeSync(fd);
  expect(readFileSync(`${file}.3`, "utf8")).toContain("3: much");
  expect(existsSync(`${file}.4`)).toBe(false);
  expect(said).toBe("");
});

it("a log that the agent does not write to is left alone; one that cannot be put aside is said", () => {
  const [file, other] = [join(folder, OWN_LOG), join(folder, "journal")];
  writeFileSync(file, "x".repeat(2000));
  const fd = openSync(other, "a");
  rotateOwnLog(folder, log, { fd, largest: 1000 });
  expect([statSync(file).size, existsSync(`${file}.1`), said]).toEqual([2000, false, ""]);
  closeSync(fd);
  rotateOwnLog(folder, log, { fd, largest: 1000 });
  expect(said).toMatch(/the agent's own log grows too long/);
});

it("an agent that cannot start, and is started again and again, does not fill the disk with what it says", async () => {
  await using world = await World.make();
  const manifest = readManifest(world.context, world.writeManifest());
  const [host] = manifest.hosts;
  if (!host) throw new Error("no host");
  const file = join(host.state, OWN_LOG);
  writeFileSync(file, "x".repeat(LARGEST));
  const fd = openSync(file, "a");
  const words = ["--", ALAI, "host", "agent", "--host", host.name, "--manifest", manifest.file];
  const env = { PATH: join(folder, "nothing"), ...world.env, ALAI_LITESTREAM: join(folder, "none") };
  const { status } = spawnSync(process.execPath, words, { stdio: ["ignore", fd, fd], env });
  closeSync(fd);
  expect(status).toBe(69);
  expect(statSync(`${file}.1`).size).toBe(LARGEST);
  expect(readFileSync(file, "utf8")).toMatch(/Litestream/i);
  expect(statSync(file).size).toBeLessThan(LARGEST);
});
