import { basename, extname } from "node:path";

/** How a file is written, as far as that matters here. */
export type Language = "shell" | "javascript" | "typescript" | "python" | "other";

const NAMES: Readonly<Record<string, Language>> = {
  ".sh": "shell",
  ".bash": "shell",
  ".zsh": "shell",
  ".js": "javascript",
  ".mjs": "javascript",
  ".cjs": "javascript",
  ".ts": "typescript",
  ".mts": "typescript",
  ".cts": "typescript",
  ".py": "python",
};

/** By the name, else by the first line. */
export function languageOf(file: string, text: string): Language {
  const known = NAMES[extname(file).toLowerCase()];
  if (known) return known;
  if (extname(file) !== "") return "other";
  const program = /^#!\s*\S*?(?:\/env\s+(?:-\S+\s+)*)?([\w.]+)\s*(?:\s.*)?$/m.exec(
    text.slice(0, 200).split("\n")[0] ?? "",
  )?.[1];
  const name = program
    ?.split("/")
    .at(-1)
    ?.replace(/[\d.]+$/, "");
  if (name === "sh" || name === "bash" || name === "zsh" || name === "dash" || name === "ksh") return "shell";
  return name === "python" ? "python" : name === "node" ? "javascript" : "other";
}

const BROWSER = "code of a browser has no environment: let its server give it the address";
const SETTINGS = "let the program that reads it take OLLAMA_HOST from the environment";

/** What to do by hand where nothing is rewritten, by the end of the file's name. */
const ADVICE: Readonly<Record<string, string>> = {
  ".jsx": BROWSER,
  ".tsx": BROWSER,
  ".vue": BROWSER,
  ".svelte": BROWSER,
  ".html": BROWSER,
  ".htm": BROWSER,
  ".json": SETTINGS,
  ".toml": SETTINGS,
  ".ini": SETTINGS,
  ".cfg": SETTINGS,
  ".yml": `in a compose file \${OLLAMA_HOST:-http://localhost:11434}; else ${SETTINGS}`,
  ".yaml": `in a compose file \${OLLAMA_HOST:-http://localhost:11434}; else ${SETTINGS}`,
  ".env": "set it from alai models route TIER --quiet where the program is started",
  ".plist": "leave it out, and set OLLAMA_HOST where the program is started",
  ".service": "leave it out, and set OLLAMA_HOST in an EnvironmentFile",
  ".md": "documentation: write $OLLAMA_HOST",
  ".txt": "documentation: write $OLLAMA_HOST",
  ".rst": "documentation: write $OLLAMA_HOST",
  ".go": 'os.Getenv("OLLAMA_HOST"), with this as its default',
  ".rb": 'ENV.fetch("OLLAMA_HOST", …)',
  ".rs": 'std::env::var("OLLAMA_HOST"), with this as its default',
  ".swift": 'ProcessInfo.processInfo.environment["OLLAMA_HOST"] ?? …',
  ".java": 'System.getenv("OLLAMA_HOST"), with this as its default',
  ".kt": 'System.getenv("OLLAMA_HOST") ?: …',
  ".php": 'getenv("OLLAMA_HOST") ?: …',
  ".lua": 'os.getenv("OLLAMA_HOST") or …',
  ".fish": "set -q OLLAMA_HOST; or set OLLAMA_HOST …",
};
const BY_LANGUAGE: Readonly<Partial<Record<Language, string>>> = {
  shell: `"\${OLLAMA_HOST:-http://localhost:11434}"`,
  javascript: 'process.env.OLLAMA_HOST ?? "http://localhost:11434"',
  typescript: 'process.env.OLLAMA_HOST ?? "http://localhost:11434"',
  python: 'os.environ.get("OLLAMA_HOST", "http://localhost:11434")',
};

/** What to write instead, in that language. */
export function adviceFor(file: string, language: Language): string {
  const known = BY_LANGUAGE[language] ?? ADVICE[extname(file).toLowerCase()];
  if (known) return known;
  const name = basename(file);
  if (/^\.env/.test(name)) return ADVICE[".env"] ?? "";
  if (/^Dockerfile|\.dockerfile$/i.test(name)) return "ENV OLLAMA_HOST=…, which `docker run -e` then replaces";
  if (/^(GNU)?makefile$/i.test(name)) return "$(or $(OLLAMA_HOST),http://localhost:11434)";
  return "take the address from the variable OLLAMA_HOST";
}
