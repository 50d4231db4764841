import { SCOPES } from "@alai/core/wire/scopes";
import type { Handlers } from "../call.ts";

export const identityHandlers: Handlers<"whoAmI"> = {
  whoAmI: async ({ request: { subject } }) => ({
    subject: subject.id,
    actor: subject.actor,
    may_act_for_others: subject.mayActForOthers,
    scopes: SCOPES.filter((scope) => subject.scopes.has(scope)),
  }),
};
