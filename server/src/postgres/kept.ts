import type { Holder, Millis } from "@alai/core";
import type { LeaseAnswer, LeaseVerb } from "./lease-answer.ts";
import type { NextAnswer } from "./next-answer.ts";

/** `alai.lease_answer` as JSON: with who asked, and when. */
export type KeptLease = LeaseAnswer & Holder & { readonly moment: Millis };

/** `alai.requests.answer`: the rows of a call that the database made by itself; of any other the answer as it is. */
export type Kept =
  | { readonly verb: LeaseVerb; readonly tasks: readonly KeptLease[] }
  | { readonly verb: "next"; readonly tasks: readonly NextAnswer[] }
  | { readonly value: unknown };
