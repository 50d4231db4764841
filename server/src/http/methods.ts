import { problem } from "@alai/core/wire/problem";
import { ROUTES } from "@alai/core/wire/routes";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { sendProblem } from "./problems.ts";

const NO_ROUTE = problem(404, "no_route", "There is no such route.", "See /docs for those there are.");

/** What is asked of no route: 405 with `Allow` where another method would do, else 404. Answered before a body is read. */
export function answerUnrouted(app: FastifyInstance): void {
  const paths: { pattern: RegExp; methods: Set<string> }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const pattern = new RegExp(`^${url.replaceAll(/:\w+/g, "[^/]+")}/?$`);
    const known = paths.find((path) => path.pattern.source === pattern.source);
    const methods = known?.methods ?? new Set();
    for (const name of [method].flat()) methods.add(name);
    if (!known) paths.push({ pattern, methods });
  });
  const answer = (url: string) => {
    const path = url.split("?", 1)[0] ?? "";
    // A fixed path (`/tasks/next`) comes before one with a parameter.
    const found = paths.filter(({ pattern }) => pattern.test(path));
    return found.find(({ pattern }) => !pattern.source.includes("[^/]+")) ?? found[0];
  };
  app.addHook("onRequest", (request, reply, done) => {
    if (!request.is404 && !isFixedName(request)) return done();
    const path = answer(request.url);
    if (!path) {
      sendProblem(request, reply, NO_ROUTE);
      return;
    }
    const allow = [...path.methods].join(", ");
    reply.header("allow", allow);
    sendProblem(
      request,
      reply,
      problem(
        405,
        "method_not_allowed",
        `${request.method} is not allowed here; ${allow} ${path.methods.size > 1 ? "are" : "is"}.`,
        "See /docs for what each of them does.",
      ),
    );
  });
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, NO_ROUTE));
}

/** `PATCH /tasks/next` is met by `/tasks/:id`, and is none of it: ids are numbers. */
function isFixedName({ params, routeOptions }: FastifyRequest): boolean {
  const { id } = params as { id?: string };
  return id !== undefined && FIXED.has(id) && routeOptions.url !== undefined;
}

/** Words that stand where a task's number may. */
const FIXED: ReadonlySet<string> = new Set(
  Object.values(ROUTES).flatMap(({ path }) => /^\/tasks\/([a-z]+)/.exec(path)?.[1] ?? []),
);
