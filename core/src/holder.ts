import { badInput } from "./refusal.ts";

/** Who holds a lease: two sessions of one actor are two holders (claims.md §b.2). */
export interface Holder {
  readonly actor: string;
  readonly session: string;
}

const ACTOR = /^[^\s:\p{C}]{1,128}$/u;
const SESSION = /^[^\s\p{C}]{1,200}$/u;

/** `actor:session`, the text in `tasks.lease_holder`. */
export function formatHolder(holder: Holder): string {
  return `${holder.actor}:${holder.session}`;
}

/** Splits `actor:session` at the first colon; a text without one (another program's) is an actor with an empty session. */
export function parseHolder(text: string): Holder {
  const colon = text.indexOf(":");
  if (colon < 0) return { actor: text, session: "" };
  return { actor: text.slice(0, colon), session: text.slice(colon + 1) };
}

/** Checks what a caller says of itself. Throws `bad_input`. */
export function validHolder(actor: string, session: string): Holder {
  if (!ACTOR.test(actor))
    throw badInput(
      `The actor ${JSON.stringify(actor.slice(0, 40))} is not allowed: 1 to 128 characters, no spaces and no colon.`,
      "Type --actor NAME, for example --actor john.",
    );
  if (!SESSION.test(session))
    throw badInput(
      `The session ${JSON.stringify(session.slice(0, 40))} is not allowed: 1 to 200 characters, no spaces.`,
      "Type --session NAME, for example --session laptop-1.",
    );
  return { actor, session };
}
