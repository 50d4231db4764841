import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUILDS, NPM, type Place, until } from "../../scripts/harness.ts";
import { onTerminal } from "../../scripts/terminal.ts";
import { PACKAGE } from "../bw/quick.ts";
import { Setting } from "../bw/setting.ts";
import { whileWatching } from "../bw/watch.ts";
import { Recorded } from "./recorded.ts";

/** `secrets run`, `get` and `list` by the built program, over the real bw. */

const secret = () => `s3c-${randomBytes(12).toString("base64")}`;

const passwords = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`item ${at}`, secret()]));
const key = `-----BEGIN KEY-----\n${randomBytes(48).toString("base64")}\n-----END KEY-----\n`;
const token = secret();

/** Signed in and unlocked once; each build then has a home of its own with the same in it. */
let world: Setting;
/** For the tests that are about the command and its output: what bw says is as the real one said it. */
let recorded: Recorded;

beforeAll(async () => {
  world = await Setting.make(NPM);
  world.seed({ ...passwords, twin: "x-first-x" });
  world.double.seed(world.user, [
    { type: 1, name: "twin", login: { password: "x-second-x" } },
    { type: 2, name: "deploy key", notes: key, folder: "Work/Deep" },
    {
      type: 1,
      name: "GitHub",
      login: { username: "bot", password: secret() },
      fields: [{ name: "a token", value: token, type: 1 }],
    },
    { type: 1, name: "PIN", login: { password: "1234" } },
  ]);
  await world.unlock();
  recorded = await Recorded.of(world);
}, 180_000);
afterAll(async () => {
  recorded?.remove();
  await world?.[Symbol.asyncDispose]();
});

describe.each(BUILDS)("$name: secrets of a vault", (build) => {
  let place: Place;
  let calls: string;

  beforeAll(() => {
    place = world.copyFor(build);
    // The real one, and a line for each time it is started.
    calls = place.file("bw-calls");
    const bin = place.file("counted/bin");
    mkdirSync(bin, { recursive: true });
    copyFileSync(PACKAGE, place.file("counted/package.json"));
    const real = join(String(place.env.PATH).split(":")[0] ?? "", "bw");
    const script = `#!/bin/sh\necho "$$ $1" >> '${calls}'; exec '${real}' "$@"\n`;
    writeFileSync(join(bin, "bw"), script, { mode: 0o755 });
    place.env.PATH = `${bin}:${place.env.PATH}`;
  });
  afterAll(() => place[Symbol.dispose]());

  const run = (words: readonly string[], options = {}) => place.run(["secrets", "run", ...words], options);
  const item = (at: number) => passwords[`item ${at}`] ?? "";
  /** The environment of a test that is not about bw. */
  const quick = () => ({ PATH: `${recorded.bin}:${place.env.PATH}` });

  test("20 references: one bw, which is gone before the command; only the environment has them, HOME and arguments never", async () => {
    writeFileSync(calls, "");
    const refs = Object.keys(passwords).map((name, at) => `V${at}=bw://Work/${name}\n`);
    writeFileSync(place.file("refs"), refs.slice(0, 18).join(""));
    const look = `while read -r pid what; do kill -0 $pid 2>/dev/null && echo "bw runs: $what"; done < '${calls}'; sleep 0.3; env`;
    const { result, found, looks } = await whileWatching({ home: place.dir, needles: Object.values(passwords) }, () =>
      run(
        [
          "--mask",
          "never",
          "--env-file",
          "refs",
          "--env",
          "V18=bw://Work/item 18/login.password",
          "--",
          "sh",
          "-c",
          look,
        ],
        {
          env: {
            V19: "bw://item 19",
            PLAIN: "plain",
            BW_SESSION: "no",
            BW_PASSWORD: "no",
            BW_CLIENTID: "no",
            BW_CLIENTSECRET: "no",
            ALAI_TOKEN: "no",
            ALAI_TOKEN_FILE: "no",
          },
        },
      ),
    );
    expect([result.code, result.stderr]).toEqual([0, ""]);
    const lines = result.stdout.split("\n");
    for (let at = 0; at < 20; at++) expect(lines).toContain(`V${at}=${item(at)}`);
    expect(lines).toContain("PLAIN=plain");
    expect(result.stdout).not.toMatch(/^(BW_|ALAI_TOKEN|BUN_)/m);
    expect(result.stdout).not.toContain("bw runs");
    expect(
      readFileSync(calls, "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[1]),
    ).toEqual(["serve"]);
    expect(found).toEqual([]);
    expect(looks).toBeGreaterThan(0);
  });

  test("masked where nobody looks: in pieces, in other forms, on both streams; the rest is as it was", async () => {
    const script = `
      const { T, K } = process.env, write = (text) => process.stdout.write(text);
      write("[" + T.slice(0, 7));
      setTimeout(() => {
        write(T.slice(7) + "]\\n" + Buffer.from("user:" + T).toString("base64") + "\\n" + encodeURIComponent(T) + "\\n");
        write(JSON.stringify({ K }) + "\\n" + K + "P:" + process.env.P + "\\n");
        write(Buffer.from([0, 255, 254, 10]));
        console.error("err " + T);
        require("fs").writeFileSync("/dev/stderr", "opened " + T + "\\n");
      }, 50);`;
    const words = ["--env", "T=bw://GitHub/a token", "--env", "K=bw://deploy key", "--env", "P=bw://PIN"];
    const { code, stdout, stderr } = await run([...words, "--", "node", "-e", script]);
    expect(code).toBe(0);
    expect(stderr).toBe("alai: shorter than 5 characters, so not masked in the output: P\nerr ***\nopened ***\n");
    expect(stdout).toMatch(/^\[\*{3}\]\ndXNlcj\*{3}=*\n\*{3}\n\{"K":"\*{3}"\}\n\*{3}P:1234\n\0\ufffd\ufffd\n$/);
  });

  test("a file in memory: only its owner's, as it is in the vault, gone at the end; also when alai is killed", async () => {
    const script = `stat -c '%a %n' "$K" "$(dirname "$K")"; cat "$K" > copy; echo "$K"; [ -z "$1" ] || { echo ready; sleep 20; }`;
    const words = ["--mask", "never", "--file", "K=bw://Work/Deep/deploy key", "--", "sh", "-c", script, "sh"];
    const { code, stdout } = await run(words, { env: quick() });
    expect(code).toBe(0);
    const [file = "", folder = "", path = ""] = stdout.split("\n");
    expect([file, folder]).toEqual([`600 ${path}`, `700 ${dirname(path)}`]);
    expect(path).toMatch(/^\/dev\/shm\/.*\/K$/);
    expect(readFileSync(place.file("copy"), "utf8")).toBe(key);
    expect(existsSync(dirname(path))).toBe(false);
    const killed = place.start(["secrets", "run", ...words, "wait"]);
    await killed.says(/ready/, 60_000);
    const [left = ""] = /^\/dev\/shm\S*/m.exec(killed.stdout) ?? [];
    expect(existsSync(left)).toBe(true);
    killed.signal("SIGKILL");
    await until("the file is gone", () => !existsSync(dirname(left)), 60_000);
  });

  test("what is not found, or found twice: all are named, and nothing is started", async () => {
    const start = ["--", "touch", "started"];
    const missing = await run([
      "--env",
      "A=bw://nothing",
      "--env",
      "B=bw://GitHub/no such",
      "--env",
      "C=bw://item 1",
      ...start,
    ]);
    expect([missing.code, missing.stdout]).toEqual([3, ""]);
    expect(missing.stderr).toMatch(
      /^A: There is no bw:\/\/nothing .*\nB: "GitHub" has no field "no such"\. It has: .*\nThe command was not started: 2 references give nothing\.\n$/,
    );
    const twice = await run(["--env", "A=bw://twin", "--file", "B=bw://nothing", ...start], { env: quick() });
    expect(twice.code).toBe(1);
    expect(twice.stderr).toMatch(/A: 2 things .*\nB: There is no/);
    expect(twice.stderr).toMatch(/bw:\/\/Work\/twin \("twin" in "Work"\)/);
    expect(missing.stderr + twice.stderr).not.toMatch(/x-first-x|x-second-x|s3c-/);
    expect(existsSync(place.file("started"))).toBe(false);
  });

  test("signals go on to the command while its output is masked", async () => {
    const script = "trap 'echo got $T; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    const running = place.start(["secrets", "run", "--env", "T=bw://GitHub/a token", "--", "sh", "-c", script], {
      env: quick(),
    });
    await running.says(/ready/, 60_000);
    running.signal("SIGTERM");
    const { code, stdout } = await running.ended;
    expect([code, stdout]).toEqual([9, "ready\ngot ***\n"]);
  });

  test("a reader that goes away ends the command as it would without us", async () => {
    const self = build.command.map((word) => `'${word}'`).join(" ");
    const line = `${self} secrets run --env T='bw://GitHub/a token' -- yes "$0" | head -n 2`;
    const { code, stdout } = await place.spawn(["sh", "-c", line, "y"], { env: quick() }).ended;
    expect([code, stdout]).toEqual([0, "y\ny\n"]);
  });

  test("where our output cannot be written the command is waited for all the same", async () => {
    const self = build.command.map((word) => `'${word}'`).join(" ");
    const script = "trap '' PIPE; echo a; sleep 0.5; echo b; touch ended";
    const line = `${self} secrets run --env T='bw://GitHub/a token' -- sh -c "$0" > /dev/full; test -f ended`;
    const { code, stderr } = await place.spawn(["sh", "-c", line, script], { env: quick() }).ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^A file could not be used: ENOSPC/m);
  });

  test("lines of stdout and stderr keep their order where both go to one file", async () => {
    const self = build.command.map((word) => `'${word}'`).join(" ");
    const script = "for i in 1 2 3 4 5; do echo out$i; echo err$i $T >&2; done";
    const line = `${self} secrets run --env T='bw://GitHub/a token' -- sh -c "$0" > both 2>&1; cat both`;
    const { stdout } = await place.spawn(["sh", "-c", line, script], { env: quick() }).ended;
    expect(stdout).toBe([1, 2, 3, 4, 5].map((at) => `out${at}\nerr${at} ***\n`).join(""));
  });

  test("bytes of any kind go through, in and out", async () => {
    const bytes = randomBytes(3_000_000);
    writeFileSync(place.file("bytes"), bytes);
    const self = build.command.map((word) => `'${word}'`).join(" ");
    const line = `${self} secrets run --env T='bw://GitHub/a token' -- cat < bytes > copy`;
    expect(await place.spawn(["sh", "-c", line], { env: quick() }).ended).toMatchObject({ code: 0, stderr: "" });
    expect(readFileSync(place.file("copy")).equals(bytes)).toBe(true);
  });

  test("get: the value and a line end; list: names only", async () => {
    const get = (words: readonly string[]) => place.run(["secrets", "get", ...words], { env: quick() });
    // By the real one once; the others differ in what is done with its answer.
    expect((await place.run(["secrets", "get", "bw://PIN"])).stdout).toBe("1234\n");
    expect(await get(["bw://GitHub/a token"])).toMatchObject({ code: 0, stdout: `${token}\n`, stderr: "" });
    expect((await get(["bw://GitHub/a token", "-n"])).stdout).toBe(token);
    expect((await get(["bw://deploy key"])).stdout).toBe(key);
    expect(JSON.parse((await get(["bw://PIN", "--json"])).stdout)).toEqual({ reference: "bw://PIN", value: "1234" });
    expect(await get(["bw://nothing"])).toMatchObject({ code: 3, stdout: "" });
    const listed = await place.json<{ name: string; folder: string; reference: string }[]>(["secrets", "list"], {
      env: quick(),
    });
    expect(listed).toHaveLength(25);
    expect(listed.find(({ name }) => name === "deploy key")).toMatchObject({ folder: "Work/Deep", type: "note" });
    expect(JSON.stringify(listed)).not.toMatch(/s3c-|BEGIN|1234|x-first-x/);
    const lines = await place.ok(["secrets", "list", "--folder", "Work", "tw"], { env: quick() });
    expect(lines).toBe("twin\tWork\tlogin\tbw://Work/twin");
    expect((await place.run(["secrets", "list", "--folder", "Nope"], { env: quick() })).code).toBe(3);
  });
});

/** Waits for the first signal for as long as it takes, and then for one too many. */
const UNTIL_TRAPPED = "i=0; while [ $n -eq 0 ] && [ $i -lt 1000 ]; do sleep 0.05; i=$((i+1)); done; sleep 0.3";

describe.each(BUILDS)("$name: secrets run without references", (build) => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await Setting.make(build);
    setting.place.env.PATH = `${dirname(process.execPath)}:${setting.place.env.PATH}`;
  });
  afterAll(() => setting[Symbol.asyncDispose]());
  const run = (words: readonly string[], options = {}) => setting.place.run(["secrets", "run", ...words], options);

  test("words arrive as they are, without a shell; so does the exit code", async () => {
    const words = ["", "a b", "$HOME", "'", '"q"', "--json", "--", "*", "é\n"];
    const { stdout } = await run(["--", "node", "-p", "JSON.stringify(process.argv.slice(1))", ...words]);
    expect(JSON.parse(stdout)).toEqual(words);
    for (const [script, code] of [
      ["exit 0", 0],
      ["exit 7", 7],
      ["kill -TERM $$", 143],
      ["kill -KILL $$", 137],
    ] as const)
      expect([script, (await run(["--", "sh", "-c", script])).code]).toEqual([script, code]);
    expect(await run(["--", "no-such-command"])).toMatchObject({ code: 127, stdout: "" });
    expect(await run(["--", "/etc"])).toMatchObject({ code: 126 });
  });

  test("a value where a reference belongs is refused and not repeated; so is one of another kind of mistake", async () => {
    for (const words of [["--env", "A=hunter2"], ["--file", "A=hunter2"], ["--env", "hunter2"], ["--mask", "on"], []]) {
      const { code, stderr } = await run([...words, ...(words.length > 0 ? ["--", "true"] : [])]);
      expect([words, code]).toEqual([words, 64]);
      expect(stderr).not.toContain("hunter2");
    }
    expect(await run(["--env", "A=bw://x", "--", "touch", "started"])).toMatchObject({ code: 4 });
    expect(existsSync(setting.place.file("started"))).toBe(false);
  });

  test("--no-inherit-env: the least, and what files of variables add", async () => {
    writeFileSync(setting.place.file("plain"), "ADDED='from a file'\n");
    const { stdout } = await run(["--no-inherit-env", "--env-file", "plain", "--", "env"], { env: { OTHER: "x" } });
    expect(stdout).toMatch(/^PATH=/m);
    expect(stdout).toMatch(/^ADDED=from a file$/m);
    expect(stdout).not.toMatch(/^(OTHER|XDG_|ALAI_|NODE_)/m);
  });

  test("SIGPIPE and other signals do what they do without us", async () => {
    const { stdout } = await run(["--", "grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"]);
    expect(stdout).toBe("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const)("%s is passed on once", async (signal) => {
    const name = signal.slice(3);
    const script = `n=0; trap 'n=$((n+1))' ${name}; echo ready; ${UNTIL_TRAPPED}; echo got $n`;
    const running = setting.place.start(["secrets", "run", "--", "sh", "-c", script]);
    await running.says(/ready/, 60_000);
    running.signal(signal);
    expect(await running.ended).toMatchObject({ code: 0, stdout: "ready\ngot 1\n" });
  });

  test("on a terminal the command has the terminal, and Ctrl-C reaches it once", async () => {
    const { place } = setting;
    const script = `n=0; trap 'n=$((n+1))' INT; test -t 0 && test -t 1 && test -t 2 && echo terminal; echo ready
      ${UNTIL_TRAPPED}; echo got $n; exit 5`;
    writeFileSync(place.file("script.sh"), script);
    const running = onTerminal(place, "trap : INT; alai secrets run -- sh script.sh; echo code $?", { input: null });
    await running.says(/ready/, 60_000);
    running.child.stdin?.write("\x03");
    await running.says(/code \d+/, 60_000);
    running.child.stdin?.end();
    await running.ended;
    expect(running.stdout.replaceAll("\r\n", "\n")).toMatch(/terminal\nready\n(\^C)?got 1\ncode 5\n/);
  });
});
