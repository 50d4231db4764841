import type { Caller, Ledger, Transferable } from "@alai/core";
import type { Operation, ROUTES } from "@alai/core/wire/routes";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static, TSchema } from "typebox";

/** The ledger that a server serves. */
export type ServedLedger = Ledger & Transferable;

type Part<R, K extends string> = R extends Readonly<Record<K, infer S extends TSchema>> ? Static<S> : undefined;
type BodyOf<R> = R extends { readonly bodyOptional: true } ? Part<R, "body"> | undefined : Part<R, "body">;

/** One request to one route, checked against its schemas. */
export interface Call<O extends Operation> {
  readonly ledger: ServedLedger;
  readonly caller: Caller;
  readonly params: Part<(typeof ROUTES)[O], "params">;
  readonly query: Part<(typeof ROUTES)[O], "query">;
  readonly body: BodyOf<(typeof ROUTES)[O]>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Fires when the client has gone or the server is about to stop. */
  readonly gone: AbortSignal;
}

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** What a route does: a thin step from HTTP to the ledger. The compiler holds the ledger's types to the wire's schemas here. */
export type Handler<O extends Operation> = (
  call: Call<O>,
) => Promise<DeepReadonly<Static<(typeof ROUTES)[O]["answer"]>>>;
export type Handlers<O extends Operation = Operation> = { readonly [K in O]: Handler<K> };
