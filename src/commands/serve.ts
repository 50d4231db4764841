import { defineCommand } from "../kit/command.ts";
import { oneOf, wholeNumber } from "../kit/values.ts";
import { announceNew, DATABASE_URL_FLAG, serverStore } from "../mc/server-store.ts";

const DEFAULT_PORT = 8787;
const HIGHEST_PORT = 65_535;
/** The others would end the process, or mean nothing to it. */
const STOPS: readonly string[] = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];
const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

const level = oneOf("log level", LEVELS);

export const command = defineCommand({
  summary: "serve the ledger to other machines",
  description: `Serves the API that ALAI_MC_URL points at: the local ledger's file, or Postgres with --database-url or DATABASE_URL.
On this machine only (127.0.0.1) nobody must sign in; on any other address it starts only with sign-in set up (docs/security.md).
Log lines (JSON) go to standard output. SIGTERM and Ctrl-C finish what runs, then end. The API is described at /docs.`,
  examples: [
    ["alai serve", `on http://127.0.0.1:${DEFAULT_PORT}, with the local ledger`],
    ["alai serve --db team.db --port 9000", "another file, another port"],
    ["alai serve --host 0.0.0.0 --database-url postgres://…", "a replica over Postgres, for everyone who may sign in"],
  ],
  args: [],
  flags: {
    host: { value: "ADDRESS", summary: "address to listen on (127.0.0.1)" },
    port: {
      value: "N",
      summary: `port (${DEFAULT_PORT}); 0 takes a free one`,
      parse: wholeNumber("port", 0, HIGHEST_PORT),
    },
    ...DATABASE_URL_FLAG,
    logLevel: { value: "LEVEL", summary: `${LEVELS.join(", ")} (info)`, parse: level },
  },
  async run(context, { flags }) {
    const { env } = context;
    const store = serverStore(context, flags.databaseUrl);
    if (store.kind === "sqlite") announceNew(context, store.file);
    const { serve } = await import("@alai/server");
    const server = await serve({
      host: flags.host ?? "127.0.0.1",
      port: flags.port ?? DEFAULT_PORT,
      store,
      env,
      version: context.version,
      logLevel: flags.logLevel ?? env.ALAI_LOG_LEVEL ?? "info",
    });
    if (!context.flags.quiet) context.io.err(`alai serves ${server.store} on ${server.url} (${server.access})\n`);
    if (!context.flags.quiet && !isOwn(new URL(server.url).hostname))
      context.io.err("Clients take no plain HTTP from another machine: put a proxy with a certificate in front.\n");
    const off = context.onSignal((signal) => {
      if (STOPS.includes(signal)) void server.stop();
    });
    await server.stopped;
    off();
  },
});

function isOwn(host: string): boolean {
  return host === "localhost" || host.startsWith("127.") || host === "[::1]";
}
