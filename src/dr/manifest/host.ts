import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import type { Host, Manifest } from "./model.ts";

/** The host of that name. Throws Exit 3 with the names there are. */
export function requireHost({ hosts, file }: Manifest, name: string): Host {
  const found = hosts.find((host) => host.name === name);
  if (found) return found;
  throw new Exit(
    EXIT.notFound,
    "no_host",
    `There is no host "${truncate(oneLine(name), 40)}" in ${file}.`,
    `Hosts are: ${hosts.map((host) => host.name).join(", ")}.`,
  );
}
