import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import { parseManifest } from "../../src/dr/manifest/parse.ts";
import { renderContainer } from "../../src/watch/render/container.ts";
import { MODELS_WATCH, renderLaunchd, renderSystemd, WATCH } from "../../src/watch/render/units.ts";

/** What starts a watcher at boot: as systemd and XML take it. */

const WORDS = { manifest: "/srv/a & b/100%/$x.yaml", user: "ann", program: ["/bin/sh", "/opt/al ai/alai.js"] };

test.each([WATCH, MODELS_WATCH])("a systemd unit that systemd takes: $unit", (service) => {
  const folder = mkdtempSync(join(tmpdir(), "alai-unit-"));
  const text = renderSystemd(service, WORDS);
  const file = join(folder, service.unit);
  writeFileSync(file, text);
  expect(text).toContain(
    `ExecStart=/bin/sh "/opt/al ai/alai.js" ${service.words.join(" ")} --manifest "/srv/a & b/100%%/$$x.yaml"`,
  );
  expect(text).toContain("WantedBy=multi-user.target\n");
  const { error, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], { encoding: "utf8" });
  if (!error) expect(stderr).not.toContain(service.unit.replace(".service", ""));
  rmSync(folder, { recursive: true });
});

/** Keys and words of a property list, in order. Throws where it is no XML. */
function textsOf(xml: string): string[] {
  const texts: string[] = [];
  const parser = new SaxesParser();
  parser.on("text", (text) => text.trim() && texts.push(text));
  parser.on("error", (error) => expect.fail(error.message));
  parser.write(xml).close();
  return texts;
}

test.each([WATCH, MODELS_WATCH])("a launchd daemon that is XML: $label", (service) => {
  const texts = textsOf(renderLaunchd(service, WORDS));
  const words = [...WORDS.program, ...service.words, "--manifest", WORDS.manifest];
  const begin = texts.indexOf("ProgramArguments") + 1;
  expect(texts.slice(begin, begin + words.length)).toEqual(words);
  expect(texts).toEqual(expect.arrayContaining([service.label, "RunAtLoad", "KeepAlive", "/Users/ann"]));
});

test("a container: the names of secrets alone, and its state in a volume", () => {
  const manifest = parseManifest(
    `hosts: [{ name: anvil, role: primary, user: u, databases: /d, state: /s, addresses: [10.0.0.1] }]
storage: { type: file, path: /x }
tiers: [{ name: p1, retention: 72h, rpo: 2m }]
databases: []
watch:
  channels:
    - { kind: slack-api, name: ops, secret: SLACK_BOT_TOKEN, channel: "#ops" }
    - { kind: slack-webhook, name: wide, secret: "bw://Slack/webhook" }
`,
    "/srv/the manifest.yaml",
  );
  const text = renderContainer(manifest, "1.2.3");
  expect(text).toContain('ENV ALAI_DR_MANIFEST="/manifest/the manifest.yaml"');
  expect(text).toContain(" -e SLACK_BOT_TOKEN -e ALAI_DR_TOKEN alai-watch\n");
  expect(text).toContain("The secret of wide is in the vault, which is not here");
  expect(text).toContain("@alai/cli@1.2.3");
  // Every line is an instruction, the rest of one, or a comment.
  const lines = text.replaceAll("\\\n", "").trim().split("\n");
  for (const line of lines) expect(line).toMatch(/^(#|(FROM|RUN|USER|ENV|VOLUME|HEALTHCHECK|CMD) )/);
});
