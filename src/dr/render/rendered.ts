/** A file as it is to be. */
export interface RenderedFile {
  /** Without a folder. */
  readonly name: string;
  readonly kind: "litestream" | "launchd" | "systemd";
  readonly text: string;
}

/** What starts the agent at boot. */
export interface Unit extends RenderedFile {
  readonly kind: "launchd" | "systemd";
}
