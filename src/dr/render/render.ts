import type { Host, Manifest } from "../manifest/model.ts";
import { type LitestreamConfig, renderConfigs } from "./configs.ts";
import type { RenderedEpoch } from "./epoch.ts";
import type { Unit } from "./rendered.ts";
import { renderUnit } from "./units.ts";

export type HostFile = LitestreamConfig | Unit;

/**
 * Everything a host needs: the agent's unit, and for who writes the configs of Litestream. A standby sends nothing, so it has no
 * configs before it is promoted; the agent makes them then.
 */
export function renderHost(
  manifest: Manifest,
  host: Host,
  {
    epoch,
    writes,
    ...starts
  }: Pick<RenderedEpoch, "epoch" | "writes"> & { readonly manifestAt: string; readonly program: readonly string[] },
): readonly HostFile[] {
  const configs = writes && epoch !== null ? renderConfigs(manifest, host, { epoch }) : [];
  return [...configs, renderUnit(manifest, host, starts)];
}
