import { ROUTES, type Route, STREAMS } from "@alai/core/wire/routes";
import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { docsPage } from "./docs.ts";
import { INTRODUCTION } from "./schema.ts";

/** `/openapi.json` (3.1, from the schemas that requests are checked against) and `/docs` for reading. Register before the routes. */
export async function documentApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "alai", version, description: INTRODUCTION },
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
    transformObject: (document) =>
      withOptionalBodies(("openapiObject" in document ? document.openapiObject : {}) as never),
  });
  const config = { scope: null };
  app.get("/openapi.json", { config, schema: { hide: true } }, async () => app.swagger());
  app.get("/docs", { config, schema: { hide: true } }, async (_request, reply) =>
    reply
      .header("content-type", "text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(docsPage(app.swagger() as never, STREAMS)),
  );
}

interface Paths {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { operationId?: string; requestBody?: { required?: boolean } }>>>
  >;
}

/** The plugin calls every body required. */
function withOptionalBodies<T extends Paths>(document: T): T {
  for (const { operationId, requestBody } of Object.values(document.paths).flatMap((path) => Object.values(path)))
    if (requestBody && (ROUTES as Readonly<Record<string, Route>>)[operationId ?? ""]?.bodyOptional)
      requestBody.required = false;
  return document;
}
