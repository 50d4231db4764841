import { request } from "node:http";
import type { Millis } from "@alai/core";
import type { Host } from "../manifest/model.ts";
import type { HostReport } from "../report.ts";

/** An agent's answer, and whose clock it is by. */
export interface Answered<T> {
  readonly value: T;
  readonly address: string;
  /** By our clock: when it was asked, and when the answer was there. */
  readonly sent: Millis;
  readonly back: Millis;
}

export interface AskOptions {
  readonly token: string | null;
  readonly patience: Millis;
  readonly clock: () => Millis;
}

const LONGEST = 64 * 2 ** 20;

/**
 * A page of a host's agent, by whichever of its addresses answers first; this machine itself is one of them, because the host may be
 * the one we are on. An answer of another host's agent is none. Throws with what each address said.
 */
export async function askHost(host: Host, options: AskOptions): Promise<Answered<HostReport>> {
  const answer = await askPage<HostReport>(host, "/report", options);
  if (answer.value.host === host.name) return answer;
  throw new Error(`the agent at ${answer.address} is ${answer.value.host}'s`);
}

/** @param path with its query. */
export async function askPage<T extends { readonly host: string }>(
  host: Host,
  path: string,
  options: AskOptions,
): Promise<Answered<T>> {
  const addresses = [...new Set([...host.addresses, "127.0.0.1"])];
  const tries = addresses.map(async (address) => {
    const answer = await ask<T>(address, host.port, path, options);
    if (answer.value.host === host.name) return answer;
    throw new Error(`${address} is ${answer.value.host}`);
  });
  try {
    return await Promise.any(tries);
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    throw new Error(error.errors.map((one: Error) => one.message).join("; "));
  }
}

function ask<T>(address: string, port: number, path: string, options: AskOptions): Promise<Answered<T>> {
  const { token, patience, clock } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Answered<T>>();
  const fail = (reason: string) => reject(new Error(`${address}: ${reason}`));
  const sent = clock();
  // To this machine itself the token need not go.
  const headers = token !== null && address !== "127.0.0.1" ? { authorization: `Bearer ${token}` } : {};
  const asked = request({ host: address, port, path, headers, agent: false }, (answer) => {
    const pieces: Buffer[] = [];
    let length = 0;
    answer.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length > LONGEST) asked.destroy(new Error("its answer is too long"));
      pieces.push(piece);
    });
    answer.on("error", (error) => fail(error.message));
    answer.on("end", () => {
      if (answer.statusCode !== 200) return fail(statusText(answer.statusCode, token));
      try {
        const value = JSON.parse(Buffer.concat(pieces).toString("utf8")) as T;
        resolve({ value, address, sent, back: clock() });
      } catch {
        fail("its answer is no JSON");
      }
    });
  });
  const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${patience / 1000} s`)), patience);
  asked.on("close", () => clearTimeout(timer));
  asked.on("error", (error) => fail("code" in error ? String(error.code) : error.message));
  asked.end();
  return promise;
}

function statusText(status: number | undefined, token: string | null): string {
  if (status !== 401) return `status ${status}`;
  return token === null ? "it wants a token (ALAI_DR_TOKEN)" : "it does not take this token (ALAI_DR_TOKEN)";
}
