/**
 * The part of Mermaid's flowcharts that a runbook uses, strictly: whatever is not understood is an error. Throws with the line.
 * @returns nodes by their ids, edges, subgraphs.
 */
export function parseFlowchart(text: string): Flowchart {
  const [first = "", ...lines] = text.split("\n");
  if (!/^flowchart (LR|TD)$/.test(first)) throw new Error(`no flowchart: ${first}`);
  const chart: Flowchart = { nodes: new Map(), edges: [], subgraphs: [] };
  const [classes, used] = [new Set<string>(), new Set<string>()];
  let depth = 0;
  for (const line of lines.map((raw) => raw.trim())) {
    depth += depthOf(line);
    if (depth < 0 || depth > 1) throw new Error(`a subgraph too many or too few at: ${line}`);
    readLine(line, chart, { classes, used });
  }
  if (depth !== 0) throw new Error("a subgraph has no end");
  for (const name of used) if (!classes.has(name)) throw new Error(`no class ${name}`);
  for (const id of chart.edges.flat()) if (!chart.nodes.has(id)) throw new Error(`no node ${id}`);
  return chart;
}

function depthOf(line: string): number {
  if (line === "end") return -1;
  return line.startsWith("subgraph ") ? 1 : 0;
}

function readLine(
  line: string,
  chart: Flowchart,
  { classes, used }: { classes: Set<string>; used: Set<string> },
): void {
  if (line === "end") return;
  const subgraph = /^subgraph [a-z]\w*\["([^"]+)"\]$/.exec(line);
  const style = /^classDef (\w+) (?:\w+:#[0-9a-f]{3,6},?)+$/.exec(line);
  if (subgraph) chart.subgraphs.push(subgraph[1] ?? "");
  else if (style) classes.add(style[1] ?? "");
  else edgeOrNode(line, chart, used);
}

export interface Flowchart {
  readonly nodes: Map<string, string>;
  readonly edges: [string, string][];
  readonly subgraphs: string[];
}

/** Words that Mermaid reads as its own. */
const RESERVED = ["end", "graph", "flowchart", "subgraph", "class", "style", "click", "default"];
const NODE = /^([a-z]\w*)(?:\["([^"]+)"\]|\[\("([^"]+)"\)\]|\{"([^"]+)"\})?(?::::(\w+))?$/;

function edgeOrNode(line: string, chart: Flowchart, used: Set<string>): void {
  const ends = line.split(/ (?:-->|-\.->)(?:\|[\w ]+\|)? /);
  if (ends.length > 2) throw new Error(`more than one arrow: ${line}`);
  const ids = ends.map((end) => {
    const [, id = "", ...found] = NODE.exec(end) ?? [];
    if (id === "" || RESERVED.includes(id)) throw new Error(`not understood: ${line}`);
    const text = found.slice(0, 3).find((one) => one !== undefined);
    if (text !== undefined && /[<>`]|#(?!(?:\w+|\d+);)/.test(text)) throw new Error(`a mark in a label: ${line}`);
    if (text !== undefined) {
      if (chart.nodes.has(id)) throw new Error(`two nodes ${id}`);
      chart.nodes.set(id, text);
    }
    if (found[3] !== undefined) used.add(found[3]);
    return id;
  });
  if (ids[0] !== undefined && ids[1] !== undefined) chart.edges.push([ids[0], ids[1]]);
}
