import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Child } from "../../../src/dr/agent/child.ts";
import { createLog } from "../../../src/dr/agent/log.ts";
import { endOrphans } from "../../../src/dr/agent/orphans.ts";
import { Primary } from "../../../src/dr/agent/primary.ts";
import { findProcesses, lookAtProcess } from "../../../src/dr/agent/processes.ts";
import { AgentState } from "../../../src/dr/agent/state.ts";
import { FolderStorage } from "../../../src/dr/storage/folder.ts";
import { until } from "../world.ts";
import { manifestIn } from "./manifest.ts";

/** In the place of Litestream: says that it runs, and at SIGTERM goes on until the file `go` is there, as one that flushes does. */
const SLOW_TO_END = `#!/bin/sh
trap 'while [ ! -e "$FOLDER/go" ]; do sleep 0.05; done; exit 0' TERM
echo started >> "$FOLDER/starts"
while :; do sleep 0.05; done
`;

let folder: string;
let state: AgentState;
let now: number;
/** What nobody sets. */
let steady: number;
let lines: string[];
const log = createLog(
  (line) => lines.push(line),
  "1",
  () => 0,
);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "alai-child-"));
  writeFileSync(join(folder, "slow"), SLOW_TO_END);
  chmodSync(join(folder, "slow"), 0o700);
  state = new AgentState(join(folder, "agent.db"));
  now = 1_000_000;
  steady = 1000;
  lines = [];
});
afterEach(() => {
  state.close();
  rmSync(folder, { recursive: true, force: true });
});

const around = () => ({ state, log, clock: () => now, monotonic: () => steady, platform: process.platform });
const environment = () => ({ FOLDER: folder, PATH: process.env.PATH ?? "" });
const letEnd = () => writeFileSync(join(folder, "go"), "");

function starts(): number {
  try {
    return readFileSync(join(folder, "starts"), "utf8").split("\n").length - 1;
  } catch {
    return 0;
  }
}

describe("a child", () => {
  let child: Child;
  beforeEach(() => {
    const command = [join(folder, "slow")] as const;
    child = new Child(
      { name: "slow", command, env: environment(), logFile: join(folder, "log", "slow.log") },
      around(),
    );
  });
  afterEach(async () => {
    letEnd();
    await child.stop();
  });

  it("that is stopped while it is started anew stays stopped", async () => {
    child.start();
    await until("its start", () => starts() === 1);
    const restarted = child.restart();
    const stopped = child.stop();
    letEnd();
    await Promise.all([restarted, stopped]);
    expect(child.report).toMatchObject({ pid: null, restarts: 0 });
    expect(starts()).toBe(1);
  });

  it("that is started anew runs again, as another process", async () => {
    child.start();
    await until("its start", () => starts() === 1);
    const first = child.report.pid;
    letEnd();
    await child.restart();
    await until("its second start", () => starts() === 2);
    expect(child.report.restarts).toBe(1);
    expect(child.report.pid).not.toBe(first);
    expect(child.report.pid).not.toBeNull();
  });

  it("that is started anew twice at once does not run while either does what it is to do meanwhile", async () => {
    child.start();
    await until("its start", () => starts() === 1);
    const seen: (number | null)[] = [];
    const restarted = [1, 2].map(() => child.restart(() => seen.push(child.report.pid)));
    letEnd();
    await Promise.all(restarted);
    expect(seen).toEqual([null, null]);
    expect(child.report.pid).not.toBeNull();
  });

  /** Ends it as a crash would. @returns how long it then waits. */
  async function crash(): Promise<number> {
    const before = lines.length;
    process.kill(child.report.pid ?? 0, "SIGKILL");
    const line = await until("its death", () => lines.slice(before).find((one) => one.includes("child died")));
    return JSON.parse(line).pause_ms;
  }

  it("waits longer before each start while it does not stay up, whatever is done to the machine's clock", async () => {
    child.start();
    await until("its start", () => starts() === 1);
    now += 3_600_000;
    expect(await crash()).toBe(500);
    expect(child.diedAgo).toBe(0);
    await until("its second start", () => starts() === 2);
    now -= 7_200_000;
    steady += 31_000;
    expect(child.diedAgo).toBe(31_000);
    expect(await crash()).toBe(250);
  });

  it("that cannot be signalled has not ended", async () => {
    child.start();
    await until("its start", () => starts() === 1);
    const { pid } = child.report;
    const kill = vi.spyOn(ChildProcess.prototype, "kill").mockImplementation(function (this: ChildProcess) {
      // As Node does when the system refuses.
      this.emit("error", Object.assign(new Error("kill EPERM"), { code: "EPERM" }));
      return false;
    });
    const stopped = child.stop();
    kill.mockRestore();
    expect(lines.join("")).toContain("cannot be signalled");
    expect(child.report).toMatchObject({ pid, lastExit: null });
    letEnd();
    process.kill(pid ?? 0, "SIGTERM");
    await stopped;
    expect(child.report).toMatchObject({ pid: null, lastExit: "exit code 0" });
  });

  it("runs again when it is started after a stop", async () => {
    letEnd();
    child.start();
    await until("its start", () => starts() === 1);
    await child.stop();
    child.start();
    await until("its second start", () => starts() === 2);
    expect(child.report.pid).not.toBeNull();
  });
});

describe("a primary that is stopped", () => {
  let primary: Primary;
  beforeEach(() => {
    const manifest = manifestIn(folder);
    const [host] = manifest.hosts;
    if (!host) throw new Error("no host");
    mkdirSync(host.databases);
    writeFileSync(join(host.databases, "mc.db"), "something is in it");
    const program = { litestream: join(folder, "slow"), env: environment() };
    const storage = new FolderStorage({ path: folder, prefix: "" }, 10_000);
    primary = new Primary({ ...around(), ...program, storage, manifest, host, epoch: 1 });
  });
  afterEach(async () => {
    letEnd();
    await primary.stop();
  });

  const pids = () => primary.children.map(({ report }) => report.pid);

  it("starts no Litestream after it, by a remedy that was under way or by a later one", async () => {
    primary.start();
    await until("its Litestream", () => starts() === 1);
    steady += 120_000;
    const remedied = primary.remedy("mc", "nothing is sent");
    const stopped = primary.stop();
    letEnd();
    await Promise.all([remedied, stopped]);
    expect(pids()).toEqual([null]);
    steady += 120_000;
    await primary.remedy("mc", "nothing is sent");
    expect(pids()).toEqual([null]);
    expect(starts()).toBe(1);
  });
});

describe("a process that may be a Litestream of an earlier agent", () => {
  let orphan: ChildProcess;
  beforeEach(async () => {
    letEnd();
    orphan = spawn(join(folder, "slow"), ["replicate"], { env: environment(), stdio: "ignore" });
    await until("its start", () => starts() === 1);
  });
  afterEach(async () => {
    orphan.kill("SIGKILL");
    await until("its end", () => orphan.exitCode !== null || orphan.signalCode !== null);
  });

  const search = () => endOrphans({ state, log, platform: process.platform, configs: join(folder, "litestream") });
  const look = () => lookAtProcess(process.platform, orphan.pid ?? 0);
  /** As if an earlier agent had started this process with that command. */
  const keep = async (program: string) => {
    const running = await look();
    const { pid = 0, born = "" } = running ?? {};
    state.keepChild({ name: "litestream-p0", pid, born, command: [join(folder, program), "replicate"] });
  };

  it("is ended when number, start and command are what was kept", async () => {
    await keep("slow");
    expect(await search()).toBe(1);
    expect(await look()).toBeNull();
    expect(state.children()).toEqual([]);
  });

  it("is left alone when only number and start are: after the machine's start another may have them", async () => {
    await keep("other");
    expect(await search()).toBe(0);
    expect(await look()).not.toBeNull();
  });
});

describe("processes where there is no /proc", () => {
  /** In the place of `ps`. */
  const ps = (script: string): string => {
    const file = join(folder, "ps");
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o700);
    return file;
  };

  it("are told by ps, however long the command line is", async () => {
    const last = `${"x".repeat(4000)}-the-end`;
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6); console.log(1)", "--", last]);
    try {
      await once(child.stdout, "data");
      expect(await lookAtProcess("darwin", child.pid ?? 0)).toMatchObject({
        command: expect.stringMatching(/-the-end$/),
      });
      expect(await findProcesses("darwin", last)).toMatchObject([{ pid: child.pid }]);
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    expect(await lookAtProcess("darwin", child.pid ?? 0)).toBeNull();
  });

  it("there is none when ps ends with 1 and says nothing", async () => {
    expect(await lookAtProcess("darwin", 7, ps("exit 1"))).toBeNull();
  });

  it.each([
    ["complains", "echo 'ps: cannot open kmem' >&2; exit 1"],
    ["ends with another code", "exit 2"],
    ["is killed", "kill -9 $$"],
  ])("nothing is known when ps %s: that is an error, and nothing is started", async (_, script) => {
    await expect(lookAtProcess("darwin", 7, ps(script))).rejects.toThrow();
    await expect(findProcesses("darwin", "litestream", ps(script))).rejects.toThrow();
  });

  it("a list that could not be made is an error, and so is a ps that is not there", async () => {
    await expect(findProcesses("darwin", "litestream", ps("exit 1"))).rejects.toThrow();
    await expect(lookAtProcess("darwin", 7, join(folder, "none"))).rejects.toThrow(/ENOENT/);
  });
});
