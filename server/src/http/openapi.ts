import { type Operation, ROUTES, type Route } from "@alai/core/wire/routes";
import Fastify, { type FastifyInstance } from "fastify";
import { docsPage } from "./docs.ts";
import { ENDLESS, OTHERS } from "./others.ts";
import { INTRODUCTION, schemaOf } from "./schema.ts";
import { COMPILERS } from "./validation.ts";

/** `/openapi.json` (3.1, from the schemas that requests are checked against) and `/docs` for reading. */
export function documentApi(app: FastifyInstance, version: string): void {
  let made: ReturnType<typeof describe> | undefined;
  const document = () => {
    made ??= describe(version);
    return made;
  };
  const config = { scope: null };
  app.get("/openapi.json", { config }, document);
  app.get("/docs", { config }, async (_request, reply) =>
    reply
      .header("content-type", "text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(docsPage((await document()) as never)),
  );
}

/** By an app of its own that answers nothing, when the first one asks: no start waits for it. */
async function describe(version: string) {
  const { default: swagger } = await import("@fastify/swagger");
  const app = Fastify({ schemaController: COMPILERS });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "alai", version, description: INTRODUCTION },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
    transformObject: (document) =>
      withoutEndless(withOptionalBodies(("openapiObject" in document ? document.openapiObject : {}) as never)),
  });
  for (const [operation, route] of Object.entries(ROUTES) as [Operation, Route][])
    app.route({
      method: route.method,
      url: route.path,
      schema: schemaOf(operation, route),
      handler: async () => {},
    });
  for (const { path, schema } of OTHERS)
    app.route({ method: "GET", url: path, exposeHeadRoute: false, schema, handler: async () => {} });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}

interface Paths {
  readonly components?: object;
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { operationId?: string; requestBody?: { required?: boolean } }>>>
  >;
}

/** Streams that do not end are no paths: a program that calls all paths would wait for them for good. */
function withoutEndless<T extends Paths>(document: T): T {
  const { paths, components } = document;
  const endless = new Set(ENDLESS.map(({ path }) => path));
  const pathItems = ENDLESS.map(({ name, path }) => [name, { "x-path": path, ...paths[path] }]);
  return {
    ...document,
    paths: Object.fromEntries(Object.entries(paths).filter(([path]) => !endless.has(path))),
    components: { ...components, pathItems: Object.fromEntries(pathItems) },
  };
}

/** The plugin calls every body required. */
function withOptionalBodies<T extends Paths>(document: T): T {
  for (const { operationId, requestBody } of Object.values(document.paths).flatMap((path) => Object.values(path)))
    if (requestBody && (ROUTES as Readonly<Record<string, Route>>)[operationId ?? ""]?.bodyOptional)
      requestBody.required = false;
  return document;
}
