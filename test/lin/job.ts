import type { Fault } from "./broken.ts";
import type { Request } from "./record.ts";

/** How far a stepped clock is off, at most. Milliseconds. */
export const STEP = 3_600_000;

/** What one client process of the workload is told. */
export interface Job {
  /** The ledger's file; empty when servers are asked. */
  readonly file: string;
  /** Servers of one ledger: each operation goes to one of them, once. */
  readonly urls?: readonly string[] | undefined;
  /** Where this client's history goes. */
  readonly out: string;
  readonly actor: string;
  readonly session: string;
  readonly seed: number;
  readonly operations: number;
  readonly tasks: readonly number[];
  /** Milliseconds to think between operations, at most. */
  readonly think: number;
  /** A claim to start with: the one whose answer the process before this one did not live to see. */
  readonly retry?: Request | undefined;
  /** Step this client's clock by an hour back and forth. */
  readonly clockSteps?: boolean | undefined;
  /** Probability that an operation kills its own process, at one of the store's failpoints. */
  readonly dieChance?: number | undefined;
  /** Use a ledger with this fault: a negative control. */
  readonly fault?: Fault | undefined;
}
