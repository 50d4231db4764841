/** The exit codes of every command, in one table; `alai help exit-codes` prints it. */
export const EXIT = {
  ok: 0,
  refused: 1,
  block: 2,
  notFound: 3,
  signIn: 4,
  fenced: 5,
  usage: 64,
  unavailable: 69,
  bug: 70,
  leaseLost: 75,
  interrupted: 130,
} as const;

export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, "done"],
  [EXIT.refused, "refused because of the state: held by another, nothing ready, a check failed"],
  [EXIT.block, "only `alai hook`: blocks the tool call it was asked about"],
  [EXIT.notFound, "not found"],
  [EXIT.signIn, "sign-in needed: a credential is missing, or what it opens refuses it"],
  [EXIT.fenced, "fenced: a newer claim on the task exists"],
  [EXIT.usage, "usage error: an argument, flag or setting is wrong"],
  [EXIT.unavailable, "the store or service is unavailable, locked, or its disk is full; nothing was changed"],
  [EXIT.bug, "a bug in alai"],
  [EXIT.leaseLost, "the lease was lost while the command ran; the command was stopped"],
  [EXIT.interrupted, "interrupted"],
];
