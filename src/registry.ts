import type { Entry } from "./kit/command.ts";

/** Every command there is. Loading one loads no other. */
export const REGISTRY: readonly Entry[] = [
  { path: ["mc", "add"], summary: "add a task", load: () => import("./commands/mc/add.ts") },
  { path: ["mc", "list"], summary: "list tasks", load: () => import("./commands/mc/list.ts") },
  { path: ["mc", "show"], summary: "show tasks with lease and history", load: () => import("./commands/mc/show.ts") },
  { path: ["mc", "next"], summary: "the task to do next, and why", load: () => import("./commands/mc/next.ts") },
  { path: ["mc", "claim"], summary: "claim tasks for this session", load: () => import("./commands/mc/claim.ts") },
  {
    path: ["mc", "claim-extend"],
    summary: "make the lease longer",
    load: () => import("./commands/mc/claim-extend.ts"),
  },
  {
    path: ["mc", "claim-release"],
    summary: "give the lease back",
    load: () => import("./commands/mc/claim-release.ts"),
  },
  {
    path: ["mc", "claim-status"],
    summary: "who holds a task, until when",
    load: () => import("./commands/mc/claim-status.ts"),
  },
  {
    path: ["mc", "claim-sweep"],
    summary: "list leases that ran out",
    load: () => import("./commands/mc/claim-sweep.ts"),
  },
  { path: ["mc", "run"], summary: "run a command while holding a task", load: () => import("./commands/mc/run.ts") },
  { path: ["mc", "wait"], summary: "wait until a task is free or done", load: () => import("./commands/mc/wait.ts") },
  { path: ["mc", "done"], summary: "finish tasks", load: () => import("./commands/mc/done.ts") },
  { path: ["mc", "ready"], summary: "mark tasks ready to be picked up", load: () => import("./commands/mc/ready.ts") },
  { path: ["mc", "pause"], summary: "put tasks aside", load: () => import("./commands/mc/pause.ts") },
  { path: ["mc", "reopen"], summary: "open tasks again", load: () => import("./commands/mc/reopen.ts") },
  { path: ["mc", "cancel"], summary: "drop tasks", load: () => import("./commands/mc/cancel.ts") },
  { path: ["mc", "edit"], summary: "change tasks", load: () => import("./commands/mc/edit.ts") },
  { path: ["mc", "note"], summary: "write a note on tasks", load: () => import("./commands/mc/note.ts") },
  {
    path: ["mc", "dep", "add"],
    summary: "make a task wait for others",
    load: () => import("./commands/mc/dep-add.ts"),
  },
  {
    path: ["mc", "dep", "rm"],
    summary: "stop a task waiting for others",
    load: () => import("./commands/mc/dep-rm.ts"),
  },
  {
    path: ["mc", "approve"],
    summary: "let others act on a held task, on record",
    load: () => import("./commands/mc/approve.ts"),
  },
  { path: ["mc", "undo"], summary: "reverse a change", load: () => import("./commands/mc/undo.ts") },
  { path: ["mc", "events"], summary: "the journal", load: () => import("./commands/mc/events.ts") },
  { path: ["mc", "stats"], summary: "the ledger in numbers", load: () => import("./commands/mc/stats.ts") },
  {
    path: ["mc", "import"],
    summary: "add tasks from JSONL, taskwarrior or gh",
    load: () => import("./commands/mc/import.ts"),
  },
  { path: ["mc", "export"], summary: "all tasks as JSONL", load: () => import("./commands/mc/export.ts") },
  {
    path: ["mc", "adopt"],
    summary: "use another program's ledger in place",
    load: () => import("./commands/mc/adopt.ts"),
  },
  {
    path: ["mc", "migrate"],
    summary: "copy a whole ledger to a server, a database or a file",
    load: () => import("./commands/mc/migrate.ts"),
  },
  {
    path: ["mc", "mirror"],
    summary: "keep a local copy of the server current",
    load: () => import("./commands/mc/mirror.ts"),
  },
  {
    path: ["hook", "claim-gate"],
    summary: "Claude Code's PreToolUse gate",
    load: () => import("./commands/hook/claim-gate.ts"),
  },
  {
    path: ["hook", "install"],
    summary: "write the hooks into Claude Code's settings",
    load: () => import("./commands/hook/install.ts"),
  },
  {
    path: ["hook", "doctor"],
    summary: "prove that each gate blocks what it must",
    load: () => import("./commands/hook/doctor.ts"),
  },
  {
    path: ["config", "get"],
    summary: "one setting and where it comes from",
    load: () => import("./commands/config/get.ts"),
  },
  { path: ["config", "set"], summary: "change a setting", load: () => import("./commands/config/set.ts") },
  {
    path: ["config", "list"],
    summary: "all settings and where each comes from",
    load: () => import("./commands/config/list.ts"),
  },
  {
    path: ["token", "create"],
    summary: "make a service token for a machine",
    load: () => import("./commands/token/create.ts"),
  },
  {
    path: ["token", "list"],
    summary: "service tokens, also revoked ones",
    load: () => import("./commands/token/list.ts"),
  },
  {
    path: ["token", "revoke"],
    summary: "take a service token back",
    load: () => import("./commands/token/revoke.ts"),
  },
  {
    path: ["audit", "list"],
    summary: "refusals, admins' doings, starts and stops",
    load: () => import("./commands/audit/list.ts"),
  },
  {
    path: ["audit", "verify"],
    summary: "prove that no entry of the audit was changed",
    load: () => import("./commands/audit/verify.ts"),
  },
  { path: ["serve"], summary: "serve the ledger to other machines", load: () => import("./commands/serve.ts") },
  { path: ["doctor"], summary: "check this machine, changing nothing", load: () => import("./commands/doctor.ts") },
  { path: ["login"], summary: "sign in, and set this machine up", load: () => import("./commands/login.ts") },
  {
    path: ["bootstrap"],
    summary: "set this machine up, or what of it is not yet",
    load: () => import("./commands/bootstrap.ts"),
  },
  {
    path: ["start"],
    summary: "one screen for the morning: what answers, and what does not",
    load: () => import("./commands/start.ts"),
  },
  { path: ["logout"], summary: "sign out, here and at the issuer", load: () => import("./commands/logout.ts") },
  { path: ["whoami"], summary: "who is signed in, and who acts", load: () => import("./commands/whoami.ts") },
  {
    path: ["auth", "status"],
    summary: "where the token comes from, until when, and where it is kept",
    load: () => import("./commands/auth/status.ts"),
  },
  {
    path: ["auth", "token"],
    summary: "print the access token, for other programs",
    load: () => import("./commands/auth/token.ts"),
  },
  { path: ["secrets", "get"], summary: "print one secret", load: () => import("./commands/secrets/get.ts") },
  {
    path: ["secrets", "list"],
    summary: "names of what is in the vault",
    load: () => import("./commands/secrets/list.ts"),
  },
  {
    path: ["secrets", "run"],
    summary: "run a command with secrets in its environment",
    load: () => import("./commands/secrets/run.ts"),
  },
  {
    path: ["secrets", "unlock"],
    summary: "unlock the vault, signing in to Bitwarden where needed",
    load: () => import("./commands/secrets/unlock.ts"),
  },
  { path: ["secrets", "lock"], summary: "lock the vault", load: () => import("./commands/secrets/lock.ts") },
  {
    path: ["secrets", "status"],
    summary: "is the vault unlocked, until when, and by which bw",
    load: () => import("./commands/secrets/status.ts"),
  },
  {
    path: ["secrets", "sync"],
    summary: "fetch what changed in the vault",
    load: () => import("./commands/secrets/sync.ts"),
  },
  {
    path: ["secrets", "migrate"],
    summary: "move a vault from one Bitwarden server to another",
    load: () => import("./commands/secrets/migrate.ts"),
  },
  // In the order in which the person on call asks.
  {
    path: ["dr", "status"],
    summary: "is the data safe, and what proves it",
    load: () => import("./commands/dr/status.ts"),
  },
  {
    path: ["dr", "restore"],
    summary: "restore databases from storage, as of any moment that it has",
    load: () => import("./commands/dr/restore.ts"),
  },
  {
    path: ["dr", "prove"],
    summary: "prove that every database can be restored from storage",
    load: () => import("./commands/dr/prove.ts"),
  },
  {
    path: ["dr", "drill"],
    summary: "rehearse the restore of everything, and measure what a crash would lose",
    load: () => import("./commands/dr/drill.ts"),
  },
  {
    path: ["dr", "manifest", "check"],
    summary: "compare the manifest with disk and storage",
    load: () => import("./commands/dr/manifest-check.ts"),
  },
  {
    path: ["dr", "storage", "accept"],
    summary: "use the storage that is there now, although it is not the one that was",
    load: () => import("./commands/dr/storage-accept.ts"),
  },
  {
    path: ["dr", "render"],
    summary: "write a host's files: configs of Litestream and the agent's unit",
    load: () => import("./commands/dr/render.ts"),
  },
  {
    path: ["dr", "adopt"],
    summary: "make a manifest from a litestream.yml",
    load: () => import("./commands/dr/adopt.ts"),
  },
  {
    path: ["dr", "cost"],
    summary: "what storage operations cost a month, by manifest and by measure",
    load: () => import("./commands/dr/cost.ts"),
  },
  // Before the command they stand below.
  {
    path: ["watch", "ack"],
    summary: "take an outage in hand: nobody is told directly meanwhile",
    load: () => import("./commands/watch/ack.ts"),
  },
  {
    path: ["watch", "status"],
    summary: "what the watcher of this machine sees, has told, and will do next",
    load: () => import("./commands/watch/status.ts"),
  },
  {
    path: ["watch", "render"],
    summary: "what starts the watcher at boot: a service, a container, a GitHub workflow",
    load: () => import("./commands/watch/render.ts"),
  },
  {
    path: ["watch"],
    summary: "look at the hosts from outside, and tell people when one is down",
    load: () => import("./commands/watch.ts"),
  },
  {
    path: ["runbook", "render"],
    summary: "write the runbook as Markdown pages",
    load: () => import("./commands/runbook/render.ts"),
  },
  {
    path: ["runbook", "push"],
    summary: "bring the runbook to BookStack, and leave people's edits alone",
    load: () => import("./commands/runbook/push.ts"),
  },
  {
    path: ["host", "agent"],
    summary: "the daemon of one host: replicate, follow, watch",
    load: () => import("./commands/host/agent.ts"),
  },
  {
    path: ["models", "route"],
    summary: "which address and model to use now",
    load: () => import("./commands/models/route.ts"),
  },
  {
    path: ["models", "status"],
    summary: "endpoints and models: up or down, since when, how quick",
    load: () => import("./commands/models/status.ts"),
  },
  {
    path: ["models", "watch"],
    summary: "look at every endpoint of models, again and again",
    load: () => import("./commands/models/watch.ts"),
  },
  {
    path: ["models", "override"],
    summary: "lead a tier elsewhere for a time, on record",
    load: () => import("./commands/models/override.ts"),
  },
  {
    path: ["models", "scan"],
    summary: "find addresses of Ollama that are hard-coded, and rewrite them",
    load: () => import("./commands/models/scan.ts"),
  },
];

/** What each group is about. */
export const GROUPS: Readonly<Record<string, string>> = {
  "": "alai: one ledger of tasks for people and agents, with leases that cannot be held twice.",
  mc: "Mission Control: the ledger of tasks.",
  "mc dep": "Which task waits for which.",
  hook: "Gates for agents' tool calls.",
  auth: "The sign-in of this machine.",
  secrets: "Secrets out of Bitwarden, without a file of them anywhere.",
  token: "Service tokens of machines, in the server's store.",
  audit: "The server's audit: an append-only chain of hashes.",
  config: "The settings.",
  host: "The daemon of a host.",
  runbook: "The runbook, from the manifest and what was measured.",
  models: "Which model answers where, and where to go when it does not.",
  dr: "Disaster recovery: what is replicated, how far it is, and what it can be restored to.",
  "dr manifest": "The manifest of hosts, databases and services.",
  "dr storage": "Where replicas are.",
};
