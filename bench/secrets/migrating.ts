import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { Bw } from "../../test/doubles/bitwarden/bw.ts";
import { BitwardenDouble } from "../../test/doubles/bitwarden/server.ts";
import { items } from "../../test/secrets/migrate/items.ts";
import { median } from "../measure.ts";
import type { Figure } from "../report.ts";
import type { Rounds } from "./rows.ts";
import { BUILDS, type Setting } from "./setting.ts";

const COUNT = 1000;
const password = "correct horse battery";

/**
 * A thousand items from one server to another, with both sign-ins, the comparison before and the one after, beside `bw import` of
 * the same into an empty vault by a bw that is signed in, from a file in clear, and without a look at what arrived.
 */
export async function migrating(setting: Setting, rounds: Rounds): Promise<Figure> {
  const times: Record<"ours" | "bw", number[]> = { ours: [], bw: [] };
  const [old, next] = [await BitwardenDouble.start({ vaultwarden: true }), await BitwardenDouble.start()];
  try {
    const source = await old.addUser({ email: "bench@example.com", password });
    old.seed(source, items(COUNT));
    const file = join(setting.dir, "items.json");
    const all = old.plain(source).items.map(({ folder: _, attachments: __, ...item }) => ({ ...item, folderId: null }));
    writeFileSync(file, JSON.stringify({ encrypted: false, folders: [], items: all }));
    const authorities = join(setting.dir, "authorities.pem");
    writeFileSync(authorities, [old, next].map(({ caFile }) => readFileSync(caFile, "utf8")).join("\n"));
    // A round takes most of a minute.
    for (let round = 0; round < Math.ceil(rounds / 4); round++) {
      const [mine, theirs] = ["ours", "bw"].map((name) => `${name}-${round}@example.com`) as [string, string];
      const destination = await next.addUser({ email: mine, password });
      const key = { email: destination.email, password };
      const input = JSON.stringify({ source: { email: source.email, password }, destination: key });
      const words = ["secrets", "migrate", "--from", old.url, "--to", next.url, "--from-stdin", "--quiet"];
      const env = { ...setting.env, NODE_EXTRA_CA_CERTS: authorities };
      times.ours.push(await timed([...BUILDS["npm build"], ...words], env, input));
      if (next.plain(destination).items.length !== COUNT) throw new Error("not all of it arrived");
      times.bw.push(await imported(next, theirs, file));
    }
  } finally {
    await Promise.all([old.stop(), next.stop()]);
  }
  const [ours, bw] = [median(times.ours), median(times.bw)];
  return {
    what: `npm build: ${COUNT.toLocaleString("en")} items by \`secrets migrate\`, verified ÷ \`bw import\` of them, not verified`,
    value: ours / bw,
    bar: 4,
    moonshot: 2,
    detail: `${(ours / 1000).toFixed(1)} s, ${(bw / 1000).toFixed(1)} s`,
  };
}

async function imported(double: BitwardenDouble, email: string, file: string): Promise<number> {
  await double.addUser({ email, password });
  const bw = await Bw.on(double);
  try {
    bw.session = (await bw.ok(["login", email, "--passwordenv", "PW", "--raw"], { PW: password })).trim();
    const start = performance.now();
    await bw.ok(["import", "bitwardenjson", file]);
    return performance.now() - start;
  } finally {
    await bw.remove();
  }
}

function timed([file = "", ...args]: readonly string[], env: NodeJS.ProcessEnv, input: string): Promise<number> {
  const start = performance.now();
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => {
      if (code === 0) resolve(performance.now() - start);
      else reject(new Error(`alai secrets migrate ended with ${code}`));
    });
  });
}
