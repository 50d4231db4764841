import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "alai-try-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The blocks of docs/dr.md that a newcomer types, in another folder and at ports that are free. */
async function typed(): Promise<{ readonly manifest: string; readonly blocks: readonly string[] }> {
  const page = readFileSync(join(ROOT, "docs/dr.md"), "utf8");
  const section = page.slice(page.indexOf("## Try it"), page.indexOf("## What it needs"));
  const [first, second] = [await freePort(), await freePort()];
  const here = (block = "") =>
    block
      .replaceAll("/tmp/alai-try", folder)
      .replaceAll("9480", `${second}`)
      .replaceAll("127.0.0.1:9470", `127.0.0.1:${first}`)
      .replace(
        "addresses: [127.0.0.1]\n  - name: second",
        `addresses: [127.0.0.1]\n    port: ${first}\n  - name: second`,
      );
  const blocks = (kind: string) =>
    [...section.matchAll(new RegExp(`\`\`\`${kind}\n(.*?)\`\`\``, "gs"))].map(([, block]) => here(block));
  return { manifest: blocks("yaml")[0] ?? "", blocks: blocks("sh") };
}

test("what docs/dr.md has newcomers type does what it says, to the last line", async () => {
  const { manifest, blocks } = await typed();
  const [make = "", start = "", look = ""] = blocks;
  writeFileSync(join(folder, "manifest"), manifest);
  // "After some seconds": until the standby has a copy.
  const wait = `for i in $(seq 240); do [ -e ${folder}/copies/ledger.db ] && alai dr status | grep -q 'never been restored' && break; sleep 0.5; done`;
  const script = [
    "set -e -m",
    `alai() { "${process.execPath}" -- "${join(ROOT, "bin/alai.ts")}" "$@"; }`,
    `trap 'kill %1 %2; wait' EXIT`,
    ...[make, `cp ${folder}/manifest dr.manifest.yaml`, start, wait, look, "echo; echo all of it"],
  ].join("\n");
  const env = { PATH: process.env.PATH, ALAI_LITESTREAM: process.env.ALAI_LITESTREAM, HOME: join(folder, "home") };
  const shell = spawn("bash", ["-c", script], { env: { ...env, LC_ALL: "C" }, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
  expect(out, err).toMatch(/all of it\n$/);
  const lines = out.split("\n");
  expect(lines).toContainEqual(expect.stringMatching(/^no-replica\tledger\t/));
  expect(lines).toContainEqual(expect.stringMatching(/^breached\tledger\tp0\t[AB]\t.*never been restored/));
  expect(lines).toContainEqual(expect.stringMatching(/^ok\tledger\tp0\t[AB]\t/));
  expect(lines.filter((line) => /^1\topen\t.*Lose nothing/.test(line))).toHaveLength(1);
  expect(lines).toContainEqual(expect.stringMatching(/^\{"status":"ok","host":"first","role":"primary"/));
  expect(err).toContain("PASS: ");
});
