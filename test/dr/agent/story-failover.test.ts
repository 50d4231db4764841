import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesByReplica, newestTxid } from "../../../src/dr/ltx/name.ts";
import { takeStatus } from "../../../src/dr/status/take.ts";
import { litestreamRestore } from "../copy/standby.ts";
import type { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet, type HostName } from "./fleet.ts";

const ROOT = join(import.meta.dirname, "../../..");
const DATABASES = ["one", "two"];

// The failover page of the runbook, step by step, as printed: a step's lines are run by a shell on the machine that they are for.
let world: World;
let fleet: Fleet;
let page: ReadonlyMap<string, readonly string[]>;
const agents: Partial<Record<HostName, TestProcess>> = {};
let service: TestProcess;
let bin: string;
/** What had been acknowledged when the primary was lost, and was not in storage. */
let unshipped: number[];
let takenOver: number;
beforeAll(async () => {
  world = await World.make({ databases: DATABASES });
  const services = [{ name: "ledger", start: "touch ledger.up", stop: "rm -f ledger.up", health: "test -e ledger.up" }];
  fleet = await Fleet.make(world, { services, names: [{ name: "api", kind: "dns", target: "api.example" }] });
  bin = join(world.folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "alai"), `#!/bin/sh\nexec "${process.execPath}" -- "${ROOT}/bin/alai.ts" "$@"\n`);
  // There is one user here, who need not become another.
  writeFileSync(join(bin, "sudo"), '#!/bin/sh\nexec "$@"\n');
  for (const name of ["alai", "sudo"]) chmodSync(join(bin, name), 0o755);
  agents.anvil = fleet.start("anvil");
  agents.forge = fleet.start("forge");
  service = await world.startWriter();
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** Runs lines of a page in a shell. Rejects with what they printed when they fail. */
function shell(lines: string): Promise<string> {
  const env = {
    ...{ ...process.env, ...world.env, ALAI_DR_TOKEN: "", ALAI_DR_MANIFEST: fleet.manifest.file },
    PATH: `${bin}:${process.env.PATH}`,
  };
  return new Promise((resolve, reject) => {
    execFile("/bin/bash", ["-e", "-o", "pipefail", "-c", lines], { cwd: world.folder, env }, (error, stdout, stderr) =>
      error ? reject(new Error(`${lines}\n${stdout}${stderr}`)) : resolve(stdout + stderr),
    );
  });
}

/** A step's lines, those of the system's daemons done by the test: it starts and ends the same agents. */
async function run(host: HostName, title: RegExp): Promise<string> {
  let said = "";
  for (const line of linesOf(title)) {
    const at = (/# on (anvil|forge)/.exec(line)?.[1] as HostName | undefined) ?? host;
    if (/^sudo systemctl stop /.test(line)) await agents[at]?.kill("SIGTERM");
    else if (/^sudo systemctl start /.test(line)) agents[at] = fleet.start(at);
    // What a person does over and over until all is green: that it is not yet, or that no agent answers yet, is no failure of the step.
    else said += await shell(line === "alai dr status" ? `${line} || case $? in 1 | 69) ;; *) exit 70 ;; esac` : line);
  }
  return said;
}

function linesOf(title: RegExp): readonly string[] {
  const found = [...page].filter(([step]) => title.test(step));
  expect(found, `${title} in ${[...page.keys()].join(", ")}`).toHaveLength(1);
  return found[0]?.[1] ?? [];
}

/** Its steps by title, each with the lines of its block. */
function stepsIn(markdown: string): ReadonlyMap<string, readonly string[]> {
  const [, ...parts] = markdown.split(/^### \d+\. /m);
  return new Map(
    parts.map((part) => {
      const block = /```sh\n([\s\S]*?)\n```/.exec(part)?.[1] ?? "";
      return [part.split("\n")[0] ?? "", block.split("\n").filter(Boolean)];
    }),
  );
}

function rows(folder: string, name: string): number[] {
  return rowsOf(join(world.folder, folder, `${name}.db`));
}

function rowsOf(file: string): number[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const found = db.prepare("SELECT seq FROM marker ORDER BY seq").all();
  db.close();
  return found.map(({ seq }) => Number(seq));
}

async function positions(epoch: number): Promise<Record<string, number>> {
  const storage = await world.openStorage();
  const prefix = `e${epoch}/`;
  const replicas = filesByReplica(await storage.list(prefix), prefix);
  return Object.fromEntries(DATABASES.map((name) => [name, newestTxid(replicas.get(name) ?? [])]));
}

describe("the failover of the runbook", () => {
  it("is rendered while all is well", async () => {
    await until("all shipped and copied", async () => {
      const { databases } = await fleet.status();
      return databases.every(({ level }) => level === "ok");
    });
    await shell("alai runbook render --out runbook");
    page = stepsIn(readFileSync(join(world.folder, "runbook", "05-failover.md"), "utf8"));
    expect([...page.keys()].length).toBeGreaterThan(8);
  });

  it("the machine of the primary is lost, with rows that were never sent", async () => {
    const [litestream = 0] = await fleet.litestreams("anvil");
    process.kill(litestream, "SIGSTOP");
    const before = world.acknowledged("one").length;
    await until("rows that nobody sends", () => world.acknowledged("one").length > before + 10);
    await Promise.all([agents.anvil?.kill("SIGKILL"), service.kill("SIGKILL")]);
    process.kill(litestream, "SIGKILL");
    await until("nothing left of it", async () => (await fleet.litestreams("anvil")).length === 0);
    await shell(
      linesOf(/See what is known/)
        .filter((line) => !line.startsWith("alai watch"))
        .join("\n"),
    ).then(
      () => expect.unreachable("status says that it is well"),
      (error: Error) => expect(error.message).toMatch(/anvil/),
    );
  });

  it("everything is restored and put in place, and storage is told", async () => {
    await run("forge", /Restore everything/);
    await run("forge", /Put them in place/);
    for (const name of DATABASES) {
      const real = join(world.folder, `real-${name}.db`);
      litestreamRestore(world, `e1/${name}`, real);
      expect(rows("copies", name)).toEqual(rowsOf(real));
      expect(rowsOf(real).length).toBeGreaterThan(0);
    }
    unshipped = world
      .acknowledged("one")
      .map(({ seq }) => seq)
      .filter((seq) => !rows("copies", "one").includes(seq));
    expect(unshipped.length).toBeGreaterThan(5);
    await run("forge", /Tell storage/);
    await run("forge", /Start the agent/);
    await run("forge", /Start the services/);
    expect(linesOf(/Switch the names/)).toEqual([]);
    takenOver = Date.now();
    service = await world.startWriter({ folder: "copies" });
    await fleet.says("forge", "one", "shipped in the new epoch", ({ shipped }, { epoch }) => {
      return epoch === 2 && shipped?.beat?.epoch === 2;
    });
  });

  it("its watchdogs are a primary's, whatever the manifest still says", async () => {
    const file = join(world.folder, "copies", "two.db");
    await shell(`mv ${file} ${file}.away`);
    await fleet.says(
      "forge",
      "two",
      "missing, with an alarm",
      ({ state }, { alarms }) =>
        state === "missing" && alarms.some(({ kind, subject }) => kind === "damaged" && subject === "two"),
    );
    await shell(`mv ${file}.away ${file}`);
  });

  it("is proven as the page says, with nothing green while there is no copy", async () => {
    const [look = "", prove = ""] = linesOf(/Prove it/);
    expect(look).toBe("alai dr status");
    await until("each is B in the new epoch, and its copy is missing", async () => {
      const { databases, epoch } = await fleet.status();
      return epoch === 2 && databases.every(({ level, evidence }) => level === "degraded" && evidence === "B");
    });
    expect((await shell(prove)).match(/^ok\t/gm)).toHaveLength(DATABASES.length);
  });

  it("the old one comes back by itself, and writes nothing", async () => {
    const before = await positions(1);
    agents.anvil = fleet.start("anvil");
    await agents.anvil.says(/forge has been the primary since epoch 2/);
    expect(await fleet.litestreams("anvil")).toEqual([]);
    expect(await positions(1)).toEqual(before);
  });

  it("what it had and storage had not is kept, shown, and it becomes the standby", async () => {
    await run("anvil", /had and storage had not/);
    expect(rows("databases.before-e2", "one")).toEqual(expect.arrayContaining(unshipped));
    const lost = rows("databases.before-e2", "one").filter(
      (seq) => !rowsOf(join(world.folder, "old-one.db")).includes(seq),
    );
    // The writer may have been killed between a commit and its acknowledgement: at most one more.
    const told = lost.filter((seq) => seq <= (unshipped.at(-1) ?? 0));
    expect(told).toEqual(unshipped);
    expect(lost.length - told.length).toBeLessThanOrEqual(1);
    await fleet.rewriteManifest((text) => {
      const manifest = JSON.parse(text);
      for (const host of manifest.hosts) host.role = host.name === "forge" ? "primary" : "standby";
      return JSON.stringify(manifest);
    });
    const said = await run("forge", /Write it into the manifest/);
    expect(said).toContain("storage/e2/one");
    expect(said).not.toContain("storage/e1/one");
    await fleet.says("anvil", "one", "a copy", ({ published }) => published !== null);
    expect(rows("databases/.before-standby-e2", "one")).toEqual(expect.arrayContaining(unshipped));
  });

  it("all is green, and where the rows are that were never sent is an alarm", async () => {
    await until("an alarm that names the folder", async () =>
      (await fleet.report("anvil"))?.alarms.some(
        ({ kind, subject }) => kind === "put_aside" && subject.endsWith("/.before-standby-e2"),
      ),
    );
    await until("all is green", async () => {
      const { databases, epoch } = await takeStatus(world.context, fleet.manifest);
      return epoch === 2 && databases.every(({ level, evidence }) => level === "ok" && evidence === "A");
    });
    const here = world.acknowledged("one").filter(({ at }) => at > takenOver);
    const copied = () => rows("databases", "one");
    const last = here.at(-1)?.seq ?? 0;
    await until("the new rows in the new standby's copy", () => copied().includes(last));
    expect(await fleet.litestreams()).toEqual(await fleet.litestreams("forge"));
    expect(await fleet.litestreams()).toHaveLength(1);
    expect(existsSync(join(world.folder, "copies.before-e2"))).toBe(true);
  });
});
