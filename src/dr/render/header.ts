import type { Host, Manifest } from "../manifest/model.ts";

const MARK = "Written by alai dr render";

/** The comment that makes a file ours. @param sign what a comment begins with. @param epoch null where nothing in it hangs on it. */
export function header(sign: string, manifest: Manifest, host: Host, epoch: number | null): string {
  return headerLines(manifest, host, epoch)
    .map((line) => `${sign} ${line}\n`)
    .join("");
}

export function headerLines(manifest: Manifest, host: Host, epoch: number | null): string[] {
  return [
    `${MARK} for the host ${host.name}; what is changed here is overwritten.`,
    `Manifest ${manifest.hash}${epoch === null ? "" : `, epoch ${epoch}`}.`,
  ];
}

/** Whether alai wrote a file for this host, by its first lines. */
export function isOursFor(text: string, host: Host): boolean {
  return text.split("\n", 4).some((line) => line.includes(`${MARK} for the host ${host.name};`));
}
