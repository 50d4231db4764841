/** The parts of an OpenAPI document that the page shows. */
interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: {
    readonly pathItems: Readonly<Record<string, { readonly "x-path": string; readonly get: OperationObject }>>;
  };
}

interface OperationObject {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema?: { readonly description?: string } & object;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<
    Record<
      string,
      { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: object }>> }
    >
  >;
}

/** The API on one page, without script and without anything from elsewhere. */
export function docsPage({ info, paths, components }: Document): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationSection(method.toUpperCase(), path, operation)),
  );
  const streams = Object.values(components.pathItems).map((item) => operationSection("GET", item["x-path"], item.get));
  const paragraphs = info.description.split("\n\n").map((text) => `<p>${code(escapeHtml(text))}</p>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(info.title)} API</title><style>${STYLE}</style>
<h1>${escapeHtml(info.title)} <small>${escapeHtml(info.version)}</small></h1>${paragraphs.join("")}<p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>
${operations.join("\n")}<h2>Streams</h2>${streams.join("\n")}</html>`;
}

function operationSection(method: string, path: string, operation: OperationObject): string {
  const { parameters = [], requestBody, responses } = operation;
  const rows = parameters.map(
    (one) =>
      `<tr><td><code>${escapeHtml(one.name)}</code>${one.required ? " *" : ""}<td>${escapeHtml(one.in)}<td>${code(escapeHtml(one.description ?? one.schema?.description ?? ""))}`,
  );
  const answers = Object.entries(responses).map(
    ([status, { description }]) => `<tr><td>${status}<td>${code(escapeHtml(description))}`,
  );
  const [good] = Object.entries(responses)
    .filter(([status]) => status.startsWith("2"))
    .map(([, answer]) => answer);
  return `<details><summary><b class="${method.toLowerCase()}">${method}</b> <code>${escapeHtml(path)}</code> ${escapeHtml(operation.summary)}</summary>
<p>${code(escapeHtml(operation.description ?? ""))}</p>${rows.length > 0 ? `<table>${rows.join("")}</table>` : ""}${schemaBlock("Body", requestBody?.content)}${schemaBlock("Answer", good?.content)}<table>${answers.join("")}</table></details>`;
}

function schemaBlock(
  title: string,
  content: Readonly<Record<string, { readonly schema: object }>> | undefined,
): string {
  const schema = Object.values(content ?? {})[0]?.schema;
  return schema
    ? `<details class="schema"><summary>${title}</summary><pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre></details>`
    : "";
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function code(escaped: string): string {
  return escaped.replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
details{border-bottom:1px solid #ddd;padding:.4rem 0}details.schema{border:0}summary{cursor:pointer}b{display:inline-block;width:4.5rem;font-size:.85rem}
.get{color:#06c}.post{color:#080}.put{color:#850}.patch{color:#707}.delete{color:#b00}table{border-collapse:collapse;font-size:.9rem}td{padding:.15rem .8rem .15rem 0;vertical-align:top}
pre{background:#f6f6f6;padding:.6rem;overflow:auto;max-height:24rem;font-size:.8rem}code{font-size:.9em}small{color:#888}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}pre{background:#1c1c1c}details{border-color:#333}.get{color:#6af}.post{color:#6c6}.put{color:#db6}.patch{color:#c8c}.delete{color:#f77}a{color:#6af}}`;
