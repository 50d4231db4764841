import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { createLog } from "../../../src/dr/agent/log.ts";
import { watchUntil } from "../../../src/dr/agent/models.ts";
import { modelsFolder, readStatus } from "../../../src/models/files.ts";
import { asOnlyWatcher } from "../../../src/models/only-one.ts";
import { fakeWorld } from "../../client/world.ts";
import { type ModelServer, startModelServer } from "../../doubles/ollama.ts";
import { TestProcess } from "../process.ts";
import { until, World } from "../world.ts";
import { Fleet } from "./fleet.ts";

const ALAI = join(import.meta.dirname, "../../../bin/alai.ts");
const MODEL = "llama3.1:8b";

let world: World;
let fleet: Fleet;
let server: ModelServer;
let file: string;
beforeAll(async () => {
  server = await startModelServer("ollama", [MODEL]);
  world = await World.make({ databases: ["one"] });
  fleet = await Fleet.make(world);
  file = fleet.manifest.file;
  const models = { interval: "1s", endpoints: [{ name: "here", host: "anvil", url: server.url, models: [MODEL] }] };
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), models }));
});
afterAll(async () => {
  await fleet?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  await server?.stop();
});
let ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(ending.map((end) => end()));
  ending = [];
});

/** Everything of the user that watches is below a folder of its own. */
function user(name: string) {
  const env = { HOME: join(world.folder, name) };
  const { context } = fakeWorld(env);
  return { env, context, status: () => readStatus(modelsFolder(context.paths.data)) };
}

it("the agent of a host watches the servers of models, and a person's own watcher beside it is refused", async () => {
  const { env, status } = user("of-agent");
  const agent = fleet.start("anvil", env);
  ending.push(() => agent.kill("SIGTERM"));
  await until("what it found", () => JSON.stringify(status()).includes('"up"'));
  expect(status()?.watcher?.pid).toBe(agent.pid);
  await agent.says(/"what":"endpoint","name":"here","now":"up"/);
  const words = ["--", ALAI, "models", "watch", "--manifest", file];
  const second = new TestProcess(process.execPath, words, { ...process.env, ...env });
  ending.push(() => second.kill());
  await second.says(/watched already/);
  await server.stop();
  await agent.says(/"what":"endpoint","name":"here","now":"down"/);
  await agent.kill("SIGTERM");
  expect(agent.child.exitCode).toBe(0);
});

it("a person's own watcher stays the one, without a word; when it ends the agent's goes on", async () => {
  const { context, status } = user("of-person");
  const persons = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const own = asOnlyWatcher(context, () => {
    began.resolve();
    return persons.promise;
  });
  await began.promise;
  const [lines, stop] = [[] as string[], new AbortController()];
  const log = createLog((line) => lines.push(line), "1", Date.now);
  let tries = 0;
  const counted = {
    ...context,
    get paths() {
      tries++;
      return context.paths;
    },
  };
  const watching = watchUntil(counted, { file, log, signal: stop.signal, again: 50 });
  ending.push(() => {
    stop.abort();
    persons.resolve();
    return Promise.all([watching, own]);
  });
  await until("two tries", () => tries > 2);
  expect([lines, status()]).toEqual([[], null]);
  persons.resolve();
  await until("what the agent's found", status);
});
