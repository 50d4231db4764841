/** Environment variables, as a command sees them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Variables that alai reads; `alai help environment` prints them. */
export const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ["ALAI_MC_DB", "the ledger's SQLite file (--db wins)"],
  ["ALAI_MC_URL", "the companion server; set, the file is never used instead"],
  ["ALAI_MC_TIMEOUT", "how long to wait for the server: 5s, 1m (--timeout wins)"],
  ["ALAI_TOKEN", "the token to sign in to the server with"],
  ["ALAI_TOKEN_FILE", "a file that holds the token, readable by its owner only (ALAI_TOKEN wins)"],
  ["ALAI_PROFILE", "the profile to sign in with (--profile wins), instead of the one in use"],
  ["ALAI_ACTOR", "who acts (--actor wins); else the setting `actor`, else the system's user name"],
  ["ALAI_SESSION", "the session that holds leases (--session wins); else the agent's session, else host and terminal"],
  ["ALAI_MC_TASK", "set by `alai mc run` for its command: the task's id"],
  ["ALAI_MC_FENCE", "set by `alai mc run` for its command: the fence, checked on changes of that task"],
  ["MC_LEASE_ENFORCE", "0 turns refusals into warnings on stderr: the documented rollback"],
  ["ALAI_CONFIG_DIR", "the folder of the settings, instead of the platform's"],
  ["ALAI_DATA_DIR", "the folder of the default ledger, instead of the platform's"],
  ["ALAI_DEBUG", "1 is --debug: stack traces on stderr"],
  ["ALAI_CACHE_DIR", "the folder of locks and caches, instead of the platform's"],
  ["CLAUDE_CODE_SESSION_ID, …", "an agent's own session (also CLAUDE_, CODEX_, GEMINI_, CURSOR_, OPENCODE_SESSION_ID)"],
  ["HTTPS_PROXY, ALL_PROXY, NO_PROXY", "the proxy on the way to servers, and the hosts that need none"],
  ["NODE_EXTRA_CA_CERTS, SSL_CERT_FILE", "a file of certificate authorities that are trusted besides"],
  ["BROWSER", "what `alai login` opens the sign-in page with"],
  ["TRACEPARENT", "a W3C trace context, passed on to the server"],
  ["XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME", "where settings, ledger and caches are, as everywhere"],
  ["ALAI_BACKUP_PASSPHRASE", "what `alai secrets migrate --backup` encrypts with"],
  ["ALAI_DR_MANIFEST", "the manifest of the hosts and databases (--manifest wins); else ./dr.manifest.yaml"],
  ["ALAI_DR_TOKEN", "what opens the host agents' reports to other machines: the same on each of them"],
  ["ALAI_SLACK_API", "Slack's API for `alai watch`, instead of https://slack.com/api"],
  ["ALAI_LITESTREAM", "the Litestream to run, instead of the one on PATH"],
  ["LITESTREAM_AZURE_…, AZURE_…, AWS_…", "what signs in to the storage of replicas: docs/dr.md names them all"],
  ["LIGHTRAG_API_KEY", "LightRAG's key, for `alai doctor`, where it wants one"],
  ["BW_CLIENTID, BW_CLIENTSECRET", "Bitwarden's API key, for `alai secrets unlock`"],
  ["XDG_RUNTIME_DIR", "where Bitwarden's files are while its program runs, if that is in memory (else /dev/shm)"],
  ["CI", "set: never prompt"],
  ["NO_COLOR", "set and not empty: no colour"],
  ["FORCE_COLOR", "set and not 0: colour even where the stream is no terminal"],
  ["COLUMNS", "the width of tables, instead of the terminal's"],
];

/** Variables by which coding agents say that they run us, and which of them names the session. */
const AGENT_SESSIONS = [
  "CLAUDE_CODE_SESSION_ID",
  "CLAUDE_SESSION_ID",
  "CODEX_SESSION_ID",
  "GEMINI_SESSION_ID",
  "CURSOR_SESSION_ID",
  "OPENCODE_SESSION_ID",
];
const AGENT_MARKS = [
  "AI_AGENT",
  "CLAUDECODE",
  "CLAUDE_CODE",
  "CODEX_SANDBOX",
  "GEMINI_CLI",
  "CURSOR_AGENT",
  "OPENCODE",
  ...AGENT_SESSIONS,
];

/** The agent's own session, when an agent runs us and says which. */
export function agentSession(env: Env): { variable: string; session: string } | null {
  for (const variable of AGENT_SESSIONS) {
    const session = env[variable];
    if (session) return { variable, session };
  }
  return null;
}

/** True when an agent runs us: it may have a terminal, but nobody is there to answer a question. */
export function isAgent(env: Env): boolean {
  return AGENT_MARKS.some((name) => env[name]);
}
