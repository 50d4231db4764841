import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { dailyHost, type Job } from "../daily/schedule.ts";
import { litestreamEnvironment } from "../litestream/environment.ts";
import { findLitestream, saidVersion } from "../litestream/find.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import { readProofs } from "../prove/history.ts";
import { openStorage } from "../storage/open.ts";
import { Agent, type Pace } from "./agent.ts";
import { Daily } from "./daily.ts";
import { collector } from "./heap.ts";
import { createLog, sentenceOf } from "./log.ts";
import { toMetrics } from "./metrics.ts";
import type { ModelsOptions } from "./models.ts";
import { asOnlyAgent } from "./only-one.ts";
import { endOrphans } from "./orphans.ts";
import { rotateOwnLog } from "./own-log.ts";
import { askHost } from "./peers.ts";
import { configsFolder } from "./primary.ts";
import { stateFile } from "./remembered.ts";
import { Seen } from "./seen.ts";
import { AgentServer, type Page, type Pages } from "./serve.ts";
import { AgentState } from "./state.ts";
import { agentToken } from "./token.ts";

export const DEFAULT_POLL: Millis = 5000;
/** A standby asks the primary at each look at storage, and waits for neither for long. */
const PRIMARY_PATIENCE: Millis = 2000;
/** How far back `/history` goes when it is not asked for another time. */
const HISTORY: Millis = 24 * 3_600_000;

export interface StartOptions {
  readonly poll?: Millis | undefined;
  readonly pace?: Pace | undefined;
  /** Takes the log's lines. */
  readonly write: (line: string) => void;
}

/** A host of the manifest. Throws Exit 3 with the names that there are. */
export function hostNamed(manifest: Manifest, name: string): Host {
  const host = manifest.hosts.find((one) => one.name === name);
  if (host) return host;
  const names = manifest.hosts.map((one) => one.name).join(", ");
  throw new Exit(EXIT.notFound, "no_host", `${manifest.file} has no host ${name}.`, `Hosts are: ${names}.`);
}

/**
 * Runs the agent of one host until SIGTERM or Ctrl-C. Throws Exit 1 when another one runs, Exit 69 when there is no Litestream that
 * may be used, and Exit 4 when credentials are missing: everything else it waits for.
 */
export async function startAgent(
  context: Context,
  manifest: Manifest,
  name: string,
  options: StartOptions,
): Promise<void> {
  const host = hostNamed(manifest, name);
  // Before anything that may keep it from starting: it is then started again and again.
  rotateOwnLog(host.state, createLog(options.write, context.version, context.clock));
  await asOnlyAgent(host, () => runAlone(context, manifest, host, { ...options, signal: context.interrupted }));
}

async function runAlone(
  context: Context,
  manifest: Manifest,
  host: Host,
  { poll = DEFAULT_POLL, pace, write, signal }: StartOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { clock, platform, version } = context;
  const log = createLog(write, version, clock);
  const [litestream, env, storage, token] = await Promise.all([
    findLitestream(context),
    litestreamEnvironment(context, manifest.storage),
    openStorage(context, manifest.storage),
    agentToken(context),
  ]);
  const state = new AgentState(stateFile(host));
  log.info("starts", { host: host.name, litestream: litestream.version, storage: storage.label });
  await endOrphans({ state, platform, log, configs: configsFolder(host) });
  const own = async () => {
    // One that is not there any more says nothing, and is told as that.
    const said = await saidVersion(context, litestream.path).catch(() => "");
    return [
      { of: "litestream", version: said, who: "this host" } as const,
      { of: "sqlite", version: state.sqliteVersion, who: "this agent" } as const,
    ];
  };
  const seen = new Seen({ manifest, host, token, clock, own });
  const pages = pagesOf(
    host,
    state,
    () => agent,
    () => storage.operations,
    clock,
  );
  const server = new AgentServer({ host, token, pages, log });
  const agent = new Agent({
    ...{ manifest, host, version, poll, storage, state, seen, log, clock, monotonic, platform, env, signal },
    litestream: litestream.path,
    pace,
    collect: collector(),
    proofs: () => readProofs(host.state),
    askPrimary: async (owner) => {
      const other = manifest.hosts.find((one) => one.name === owner && one.name !== host.name);
      if (!other) return null;
      const asked = askHost(other, { token, patience: PRIMARY_PATIENCE, clock });
      return asked.then(({ value }) => value).catch(() => null);
    },
    ...(dailyHost(manifest) === host && {
      daily: new Daily({
        ...{ state, log, clock, monotonic, platform },
        spec: manifest.daily,
        command: (job) => dailyCommand(context.self, job, ["--manifest", manifest.file, "--host", host.name]),
        env: context.env,
        stateFolder: host.state,
      }),
    }),
    onMinute: () => {
      rotateOwnLog(host.state, log);
      return server.addresses();
    },
  });
  const ended = new AbortController();
  let models: Promise<void> | undefined;
  try {
    await server.start();
    if (manifest.models)
      models = watchModels(context, { file: manifest.file, log, signal: AbortSignal.any([signal, ended.signal]) });
    await agent.run();
  } finally {
    ended.abort();
    await server[Symbol.asyncDispose]();
    storage.close();
    state.close();
    await models;
    log.info("ended");
  }
}

function pagesOf(
  host: Host,
  state: AgentState,
  agent: () => Agent,
  operations: () => Readonly<Record<string, number>>,
  clock: () => Millis,
): Pages {
  return {
    "/health": () => healthPage(agent()),
    "/report": () => json(agent().report),
    "/metrics": () => ({
      status: 200,
      type: "text/plain; version=0.0.4",
      body: toMetrics(agent().report, { memory: process.memoryUsage.rss(), operations: operations() }),
    }),
    "/history": (query) => {
      const since = Number(query.get("since")) || clock() - HISTORY;
      return json({ host: host.name, at: clock(), samples: state.samples(since) });
    },
  };
}

/** Servers of models, as `alai models watch` looks at them. Loaded where there are any; never rejects. */
async function watchModels(context: Context, options: ModelsOptions): Promise<void> {
  try {
    const { watchUntil } = await import("./models.ts");
    await watchUntil(context, options);
  } catch (error) {
    options.log.error("the models are not watched", { reason: sentenceOf(error) });
  }
}

/** @param self the words that start this program. */
function dailyCommand(
  [program = "alai", ...words]: readonly string[],
  job: Job,
  flags: readonly string[],
): readonly [string, ...string[]] {
  return [program, ...words, "dr", ...(job === "prove" ? ["prove"] : ["drill", "--isolated"]), ...flags];
}

/** 200 while the agent's rounds go on; what is wrong with databases is in the body, for who watches hosts. */
function healthPage(agent: Agent): Page {
  const { host, role, version, at, epoch, alarms, waiting } = agent.report;
  const status = !agent.isAlive ? "stuck" : waiting ? "waiting" : alarms.length > 0 ? "degraded" : "ok";
  const kinds = [...new Set(alarms.map(({ kind }) => kind))];
  return json({ status, host, role, version, at, epoch, waiting, alarms: kinds }, agent.isAlive ? 200 : 503);
}

function json(value: unknown, status = 200): Page {
  return { status, type: "application/json", body: JSON.stringify(value) };
}
