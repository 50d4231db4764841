/** Before the actor of every service token. No claim is made into such a name: in those `~` is escaped, and the prefix of no issuer may be this. */
export const SERVICE_ACTORS = "service";

/** The actor that a service token acts as: `service~ci`. Several tokens may have the same. */
export function serviceActor(name: string): string {
  return name.startsWith(`${SERVICE_ACTORS}~`) ? name : `${SERVICE_ACTORS}~${name}`;
}
