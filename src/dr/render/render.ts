import type { Host, Manifest } from "../manifest/model.ts";
import { type LitestreamConfig, renderConfigs } from "./configs.ts";
import type { Unit } from "./rendered.ts";
import { renderUnit } from "./units.ts";

export type HostFile = LitestreamConfig | Unit;

/**
 * Everything a host needs: the agent's unit, and on the primary the configs of Litestream. A standby sends nothing, so it has no
 * configs before it is promoted; the agent makes them then.
 */
export function renderHost(
  manifest: Manifest,
  host: Host,
  { epoch, manifestAt }: { readonly epoch: number; readonly manifestAt: string },
): readonly HostFile[] {
  const configs = host.role === "primary" ? renderConfigs(manifest, host, { epoch }) : [];
  return [...configs, renderUnit(manifest, host, manifestAt)];
}
