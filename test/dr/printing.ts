import { type Context, createContext, type GlobalFlags } from "../../src/kit/context.ts";
import type { Env } from "../../src/kit/env.ts";
import { fakeWorld } from "../client/world.ts";

/** A context that keeps what is printed. @param cwd where relative paths begin. */
export function printing(
  env: Env = {},
  flags: GlobalFlags = {},
  cwd = "/",
): { readonly context: Context; readonly out: string[]; readonly err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const plain = fakeWorld(env).context;
  const io = { ...plain.io, out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
  const context = createContext({ ...plain, io, cwd, onSignal: plain.onSignal, self: plain.self });
  context.flags = flags;
  return { context, out, err };
}
