import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { startLightRag } from "../doubles/lightrag.ts";
import { NPM, Place } from "../scripts/harness.ts";

/** `alai doctor` holds LightRAG's live settings against the manifest's. */

interface Check {
  readonly check: string;
  readonly state: string;
  readonly finding: string;
  readonly remedy: string | null;
}

async function findings(place: Place): Promise<readonly Check[]> {
  const { stdout } = await place.run("doctor --json");
  return (JSON.parse(stdout) as Check[]).filter(({ check }) => check === "lightrag");
}

test("each difference is a finding; without a manifest, or without rag in it, nothing is looked at", async () => {
  using place = new Place(NPM);
  const rag = await startLightRag();
  expect(await findings(place)).toEqual([]);
  const manifest = (more: string) =>
    writeFileSync(
      place.file("dr.manifest.yaml"),
      `hosts:
  - { name: anvil, role: primary, user: makinja, databases: /db, state: /state, addresses: [127.0.0.1] }
storage: { type: file, path: /replicas }
tiers:
  - { name: p0, retention: 7d, rpo: 5s }
databases: []
${more}`,
    );
  manifest("");
  expect(await findings(place)).toEqual([]);
  manifest(`rag:
  url: ${rag.url}
  expect:
    llm_model: qwen2.5-coder:32b
    embedding_binding_host: http://10.0.0.1:11434
    max_graph_nodes: 1000
    enable_llm_cache: true
    working_directory: /var/lib/rag
`);
  expect(await findings(place)).toEqual([
    expect.objectContaining({ state: "ok", finding: expect.stringContaining("5 of 5 settings") }),
  ]);
  Object.assign(rag.configuration, { embedding_binding_host: "http://localhost:11434", max_graph_nodes: 10 });
  delete rag.configuration.enable_llm_cache;
  const [ok, ...wrong] = await findings(place);
  expect(ok).toMatchObject({ state: "ok", finding: expect.stringContaining("2 of 5") });
  expect(wrong.map(({ state, finding }) => `${state} ${finding.split(";")[0]?.split(" ").slice(3).join(" ")}`)).toEqual(
    [
      "fail has embedding_binding_host http://localhost:11434",
      "fail has max_graph_nodes 10",
      "fail does not say enable_llm_cache",
    ],
  );

  rag.key = "of-the-tests";
  expect(await findings(place)).toEqual([
    expect.objectContaining({ state: "fail", remedy: "set LIGHTRAG_API_KEY to its key" }),
  ]);
  place.env.LIGHTRAG_API_KEY = "of-the-tests";
  expect((await findings(place)).map(({ state }) => state)).toEqual(["ok", "fail", "fail", "fail"]);
  await rag.stop();
  const [gone] = await findings(place);
  expect(gone).toMatchObject({ state: "fail", finding: expect.stringContaining("nothing listens there") });
});
