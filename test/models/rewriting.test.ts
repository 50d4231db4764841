import { expect, test } from "vitest";
import { applied, isEdit } from "../../src/models/scan/edit.ts";
import { adviceFor, languageOf } from "../../src/models/scan/language.ts";
import { matchesIn } from "../../src/models/scan/match.ts";
import { verdictsFor } from "../../src/models/scan/verdicts.ts";

/** What `alai models scan` makes of single lines: changed only where the language certainly takes it. */

const A = "http://localhost:11434";

/** The text as it would be rewritten; a reason in place of it where something is left. */
function treated(file: string, text: string): string {
  const language = languageOf(file, text);
  const verdicts = verdictsFor(language, text, matchesIn(text), { kind: "variable" });
  const left = verdicts.flatMap((verdict) => (isEdit(verdict) ? [] : [verdict.left]));
  if (left.length > 0) return `left: ${left.join("; ")}`;
  return applied(
    text,
    verdicts.flatMap((verdict) => (isEdit(verdict) ? verdict.edits : [])),
  );
}

const LEFT = "left: where the language takes no expression, as far as is known";

test.each([
  [
    "https is found, another port and another host are not",
    "https://localhost:11434 localhost:114345 xlocalhost:11434 a.localhost:11434 127.0.0.12:11434",
    1,
  ],
  ["all three names, in any case, with and without http", "LOCALHOST:11434 http://127.0.0.1:11434/api [::1]:11434", 3],
  [
    "defaults behind a variable are not hard-coded",
    `\${OLLAMA_HOST:-${A}} process.env.X ?? "${A}" process.env["X"] || '${A}' os.environ.get("X", "${A}") os.getenv('X') or '${A}'`,
    0,
  ],
  ["a default of something else is", `options.url ?? "${A}"`, 1],
])("%s", (_, text, count) => {
  expect(matchesIn(text)).toHaveLength(count);
});

test.each([
  [`curl -s ${A}/api/tags\n`, `curl -s "\${OLLAMA_HOST:-${A}}"/api/tags\n`],
  [`URL="${A}/api"\n`, `URL="\${OLLAMA_HOST:-${A}}/api"\n`],
  [`X=$(curl "${A}/$(basename "$0")")\n`, `X=$(curl "\${OLLAMA_HOST:-${A}}/$(basename "$0")")\n`],
  [`echo "it's"; curl ${A}\n`, `echo "it's"; curl "\${OLLAMA_HOST:-${A}}"\n`],
  [`cat <<EOF\nit's\nEOF\ncurl ${A}\n`, `cat <<EOF\nit's\nEOF\ncurl "\${OLLAMA_HOST:-${A}}"\n`],
  [`case $1 in\n a) curl ${A} ;;\nesac\n`, `case $1 in\n a) curl "\${OLLAMA_HOST:-${A}}" ;;\nesac\n`],
  [`curl '${A}'\n`, "left: in single quotes, where nothing is replaced"],
  [`# ${A}\n`, "left: in a comment"],
  [`echo \${#x} # ${A}\n`, "left: in a comment"],
  [`cat <<EOF\n${A}\nEOF\n`, "left: in a here-document"],
  [`cat <<-'EOF'\n\t${A}\n\tEOF\n`, "left: in a here-document"],
  ["curl localhost:11434\n", "left: without http://: whether a host or an address is wanted is not known"],
  [`ssh forge "curl ${A}"\n`, "left: on a line that may be meant for another machine"],
  [`echo "never closed; curl ${A}\n`, "left: the file is not understood"],
])("shell: %j", (text, expected) => {
  expect(treated("x.sh", text)).toBe(expected);
});

const JS = `process.env.OLLAMA_HOST ?? "${A}"`;

test.each([
  [`const url = "${A}";`, `const url = ${JS};`],
  [`const url = '${A}'\nfoo()`, `const url = (${JS})\nfoo()`],
  [`fetch("${A}/api/tags")`, `fetch(\`\${${JS}}/api/tags\`)`],
  [`fetch(\`${A}/api/\${name}?q=\${\`\${x}\`}\`)`, `fetch(\`\${${JS}}/api/\${name}?q=\${\`\${x}\`}\`)`],
  [`const o = { type: "x", url: "${A}", n: 1 };`, `const o = { type: "x", url: ${JS}, n: 1 };`],
  [`const u = x || "${A}";`, `const u = x || (${JS});`],
  [`const u = "${A}" + path;`, `const u = (${JS}) + path;`],
  [`const r = /["'\`/]/.test(x) ? "${A}" : y;`, `const r = /["'\`/]/.test(x) ? (${JS}) : y;`],
  [`return ["${A}"];`, `return [${JS}];`],
  [`import x from "${A}/x.js";`, LEFT],
  [`const o = { "${A}": 1 };`, LEFT],
  [`const o = { a, "${A}": 1 };`, LEFT],
  [`"${A}";`, LEFT],
  [`sql\`${A}\`;`, LEFT],
  [`log("see ${A}");`, "left: inside a longer text"],
  ["const h = 'localhost:11434';", "left: without http://: whether a host or an address is wanted is not known"],
  [`const u = "${A}/\\u0041";`, "left: in a text with escapes"],
  [`// ${A}\n`, "left: in a comment"],
  [`/* ${A} */`, "left: in a comment"],
  [`const e = <a href="${A}">it</a>;`, "left: the file is not understood"],
  [`const e = <Chat url="${A}" />;`, "left: the file is not understood"],
  [`const u = "${A}"; if (`, "left: the file is not understood"],
])("javascript: %j", (text, expected) => {
  expect(treated("x.js", text)).toBe(expected);
});

test.each([
  [`const url: string = "${A}";`, `const url: string = ${JS};`],
  [`const o: Options<string> = { type: "x", url: "${A}" };`, `const o: Options<string> = { type: "x", url: ${JS} };`],
  [`class C { url = "${A}"; }`, `class C { url = ${JS}; }`],
  [`function f(url = "${A}"): void {}`, `function f(url = ${JS}): void {}`],
  [`type T = "${A}";`, LEFT],
  [`type T = { url: "${A}" };`, LEFT],
  [`type T = \`${A}/\${string}\`;`, LEFT],
  [`interface I { url: "${A}" }`, LEFT],
  [`enum E { A = "${A}" }`, LEFT],
  [`const u = "${A}" as const;`, LEFT],
  [`let u: "${A}";`, LEFT],
  [`function f(u: "${A}") {}`, LEFT],
  [`function f(o: { u: "${A}" }) {}`, LEFT],
  [`class C { u: "${A}"; }`, LEFT],
  [`const m: Map<string, { u: "${A}" }> = x;`, LEFT],
])("typescript: %j", (text, expected) => {
  expect(treated("x.ts", text)).toBe(expected);
});

const PY = `os.environ.get("OLLAMA_HOST", "${A}")`;

test.each([
  [`import os\nU = "${A}"\n`, `import os\nU = ${PY}\n`],
  [`import json, os\nU = '${A}'\n`, `import json, os\nU = os.environ.get('OLLAMA_HOST', '${A}')\n`],
  [
    `"""Doc."""\nfrom __future__ import annotations\nimport json\nU = "${A}"\nV = "${A}"\n`,
    `"""Doc."""\nfrom __future__ import annotations\nimport os\nimport json\nU = ${PY}\nV = ${PY}\n`,
  ],
  [`import os\nget("${A}/api/tags", timeout=3)\n`, `import os\nget((${PY} + "/api/tags"), timeout=3)\n`],
  [`import os\nget(f"${A}/api/{x}")\n`, `import os\nget(f"{os.environ.get('OLLAMA_HOST', '${A}')}/api/{x}")\n`],
  [`import os\nC = {"url": "${A}"}\n`, `import os\nC = {"url": ${PY}}\n`],
  [`import os\r\nU = "${A}"\r\n`, `import os\r\nU = ${PY}\r\n`],
  [`import json\r\nU = "${A}"\r\n`, `import os\r\nimport json\r\nU = ${PY}\r\n`],
  [`U = "${A}"\n`, "left: there is no place that is known to be right for `import os`"],
  [`def f():\n    import os\n    return "${A}"\n`, "left: there is no place that is known to be right for `import os`"],
  [`U = "${A}"\nimport os\n`, "left: it stands before the imports"],
  [`import os\ndef f():\n    "${A}"\n`, LEFT],
  [`import os\nU = ("${A}"\n  "/api")\n`, LEFT],
  [`import os\ndef f(u: "${A}"): pass\n`, LEFT],
  [`import os\nx: Literal["${A}"] = y\n`, LEFT],
  [`import os\nmatch x:\n  case ("${A}", 1): pass\n`, LEFT],
  [`import os\nU = """\n${A}\n"""\n`, "left: inside a longer text"],
  [`import os\nU = b"${A}"\n`, "left: in a text with the prefix b"],
  [`import os\n# ${A}\n`, "left: in a comment"],
  [`import os\nU = "see ${A}"\n`, "left: inside a longer text"],
  [`import os\nU = ("${A}"\n`, "left: the file is not understood"],
])("python: %j", (text, expected) => {
  expect(treated("x.py", text)).toBe(expected);
});

test("other languages are named with what to write there", () => {
  expect(treated("main.go", `var u = "${A}"`)).toBe(
    "left: only shell, JavaScript, TypeScript and Python are rewritten",
  );
  expect(adviceFor("main.go", "other")).toContain("os.Getenv");
  expect(adviceFor("Chat.tsx", "other")).toContain("code of a browser");
  expect(adviceFor("conf.json", "other")).toContain("from the environment");
  expect(adviceFor("Dockerfile", "other")).toContain("docker run -e");
  expect(treated("tool", `#!/usr/bin/env python3\nimport os\nU = "${A}"\n`)).toContain(PY);
  expect(treated("tool", `#!/bin/sh\ncurl ${A}\n`)).toContain("OLLAMA_HOST:-");
});

test("another address goes in anywhere, and an expression where one may stand", () => {
  const text = `u: ${A}/api\nh: localhost:11434\n`;
  const url = new URL("http://10.0.0.2:11434/");
  const verdicts = verdictsFor("other", text, matchesIn(text), { kind: "address", url });
  expect(
    applied(
      text,
      verdicts.flatMap((one) => (isEdit(one) ? one.edits : [])),
    ),
  ).toBe("u: http://10.0.0.2:11434/api\nh: 10.0.0.2:11434\n");
  const script = `f("${A}");`;
  const [verdict] = verdictsFor("javascript", script, matchesIn(script), {
    kind: "expression",
    text: "base()",
  });
  expect(verdict && isEdit(verdict) && applied(script, verdict.edits)).toBe("f(base());");
});
